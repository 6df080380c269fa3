internal import Projects

enum ProjectFolder {
    static func find() throws -> String { try Project.find(from: ".") }
}
