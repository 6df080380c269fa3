// Written by scripts/embed from examples. Do not edit.
// swift-format-ignore-file

/// The files of each project template that `martlet init` knows.
enum Templates {
    static let files: [(template: String, path: String, content: String)] = [
    ]
}
