internal import Core
internal import Lakehouse
internal import Projects
internal import SourceFormats
internal import Storage

/// The content of a source's landing folder.
struct Landing {
    /// Files that may be data, as paths.
    var files: [String] = []
    /// Names of files that are none: still on their way, or another program's own.
    var noData: [IngestReport.Ignored] = []
    /// What is no file at all, or has no name.
    var others: [IngestReport.Ignored] = []
    /// When the marker was written that says that the files are complete, in nanoseconds.
    var ready: Int64?
    /// The marker that is not there yet; no file is looked at before it is.
    var waitsFor: String?

    /// Ends of names under which programs write what is not complete.
    private static let unfinished = [
        ".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".opdownload", ".filepart", ".swp", "~",
    ]
    /// What systems and engines write beside data.
    private static let markers = ["_success", "_metadata", "_common_metadata", "thumbs.db", "desktop.ini"]

    /// Why a file of this name is no data; `nil` when it may be.
    static func noData(_ name: String) -> String? {
        let name = name.lowercased()
        if name.hasPrefix("~$") { return "a program's lock file" }
        if markers.contains(name) || name.hasPrefix("_committed_") || name.hasPrefix("_started_") {
            return "a marker or a system's own file"
        }
        return unfinished.first { name.hasSuffix($0) }.map { "named as not complete: \($0)" }
    }
}

extension Workspace {
    /// Looks at what has arrived for a source. Names that begin with a dot do not count, and links are no files: whoever
    /// may write here would read by them what only this account may read. The folder itself may be a link.
    func landing(of source: Project.Source) throws -> Landing {
        var landing = Landing()
        if let marker = source.ready {
            guard let stamp = Disk.stamp("\(source.landing)/\(marker)") else {
                landing.waitsFor = marker
                return landing
            }
            landing.ready = stamp.modified
        }
        try look(in: "", of: source, &landing)
        return landing
    }

    /// - Parameter folder: a path below the landing folder that ends in `/`; empty for the landing folder itself.
    private func look(in folder: String, of source: Project.Source, _ landing: inout Landing) throws {
        let parent = folder.isEmpty ? source.landing : "\(source.landing)/\(folder.dropLast())"
        landing.others += try Disk.unreadableNames(parent).filter { !$0.hasPrefix(".") }.map {
            .init(name: folder + $0, reason: "a name that is not UTF-8; give it another one")
        }
        for entry in try Disk.list(parent) where !entry.hasPrefix(".") && !(folder.isEmpty && entry == source.ready) {
            let name = folder + entry
            let path = "\(source.landing)/\(name)"
            switch Disk.kind(path, followingLinks: false) {
            case .file?:
                if let reason = Landing.noData(entry) {
                    // Spark writes its marker with every delivery: nobody needs to be told.
                    if entry != "_SUCCESS" { landing.noData.append(.init(name: name, reason: reason)) }
                } else {
                    landing.files.append(path)
                }
            case .folder? where PartitionPath.isPartition(entry): try look(in: name + "/", of: source, &landing)
            case nil: break
            case .link? where Disk.kind(path) == .danglingLink:
                landing.others.append(.init(name: name, reason: Disk.Kind.danglingLink.rawValue))
            case let kind?: landing.others.append(.init(name: name, reason: kind.rawValue))
            }
        }
    }

    /// Why files that nobody has read yet are not to be read now, by path.
    /// - Parameters:
    ///   - quiet: seconds for which a file must have been left alone.
    ///   - ready: files that were written after this moment, in nanoseconds, wait for the next marker.
    func unsettled(_ files: [(path: String, stamp: Disk.Stamp)], quiet: Int, ready: Int64?) throws
        -> [String: String]
    {
        let now = context.now().microseconds
        var reasons: [String: String] = [:]
        var young: [String] = []
        for (path, stamp) in files {
            // Nobody has recorded when a landed file arrived: the system's own time of its last change is all there is.
            // No program can set that back, as it can the time of modification.
            let age = (now - stamp.changed / 1000) / 1_000_000
            if age < 86_400 { young.append(path) }
            if quiet > 0, age < quiet {
                reasons[path] = "it changed \(max(0, age)) s ago, and the source asks for \(quiet) s of quiet"
            }
            // Both were written by the one who delivers, so their own times are compared with each other, and with no
            // clock.
            if let ready, stamp.modified > ready {
                reasons[path] = "it was written after the marker; it is taken when the marker is written again"
            }
        }
        for (path, process) in try Disk.openForWriting(young) {
            reasons[path] = "process \(process) has it open for writing"
        }
        return reasons
    }

}
