internal import Projects
internal import Vocabulary

extension Workspace {
    /// The files that wait in a source's landing folder, as paths; names that begin with a dot do not count.
    /// - Throws: `file.name` when one has a name that no contract, log or command line could repeat.
    func landedFiles(of source: Project.Source) throws -> [String] {
        if let name = Disk.unreadableNames(source.landing).first(where: { !$0.hasPrefix(".") }) {
            throw MartletError(
                .input, "file.name", "The name of the landed file \(name) is not UTF-8.",
                at: .init(file: source.landing), remedy: "Give it another name; nothing of this source was taken yet.")
        }
        return Disk.list(source.landing).filter { !$0.hasPrefix(".") }.map { "\(source.landing)/\($0)" }
            .filter { Disk.stamp($0) != nil }
    }
}
