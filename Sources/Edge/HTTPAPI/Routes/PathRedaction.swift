internal import Synchronization

/// Removes the server's absolute paths from texts sent to clients.
///
/// What stands below the projects' folders and states is shown from there on, and of another path only the last name.
///
/// ```swift
/// PathRedaction.hide(below: [project.folder])
/// PathRedaction.redact(error.description)
/// ```
package enum PathRedaction {
    private static let known = Mutex<[String]>([])
    /// First names of absolute paths; none of them begins a route.
    private static let roots: Set<Substring> = [
        "bin", "boot", "data", "dev", "etc", "home", "lib", "media", "mnt", "nix", "opt", "private", "proc", "root",
        "run", "sbin", "snap", "srv", "storage", "sys", "tmp", "usr", "var", "volume", "volumes", "work", "Users",
        "Volumes", "Library", "Applications",
    ]

    /// Registers folders whose paths are hidden; the innermost counts.
    package static func hide(below folders: [String]) {
        let folders = folders.filter { $0.hasPrefix("/") && $0.utf8.count > 1 }
        known.withLock { known in
            known = Array(Set(known + folders)).sorted { $0.utf8.count > $1.utf8.count }
        }
    }

    /// Returns the text with paths hidden.
    package static func redact(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "/")) else { return text }
        var text = text
        for folder in known.withLock({ $0 }) { text = hide(folder, in: text) }
        return hideOthers(in: text)
    }

    private static func hide(_ folder: String, in text: String) -> String {
        var out = ""
        var rest = text[...]
        while let found = rest.firstRange(of: folder) {
            let next = rest[found.upperBound...].first
            out += rest[..<found.lowerBound]
            if next == "/" {
                rest = rest[found.upperBound...].dropFirst()
            } else {
                out += next.map(isPart) ?? false ? folder : "the project's folder"
                rest = rest[found.upperBound...]
            }
        }
        return out + rest
    }

    private static func hideOthers(in text: String) -> String {
        var out = ""
        var rest = text[...]
        while let slash = rest.firstIndex(of: "/") {
            let before = slash == rest.startIndex ? out.last : rest[rest.index(before: slash)]
            let end = rest[slash...].firstIndex { $0 != "/" && !isPart($0) } ?? rest.endIndex
            let path = rest[slash..<end]
            let names = path.split(separator: "/")
            let isPath = names.count > 1 && names.first.map(roots.contains) ?? false
            let isStart = before.map { !isPart($0) && $0 != "/" } ?? true
            out += rest[..<slash] + (isPath && isStart ? names.last ?? path : path)
            rest = rest[end...]
        }
        return out + rest
    }

    /// Whether a name in a path may have it in it, as far as sentences go.
    private static func isPart(_ character: Character) -> Bool {
        !character.isWhitespace && !",;:()[]{}<>\"'`|".contains(character)
    }
}
