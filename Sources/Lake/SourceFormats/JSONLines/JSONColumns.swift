internal import CLibrary
internal import JSONText

/// The columns of a JSON Lines file: one for each path of member names that leads to a value which is no object.
///
/// The members of an object inside of a record have names like `patient.age`. Columns are in the order in which they
/// come first. Filled by one thread, then read by any number.
///
/// Why `@unchecked Sendable` holds: a reader fills it before it gives out the first piece, and nothing changes it after.
final class JSONColumns: @unchecked Sendable {
    /// What a member name of an object leads to.
    struct Member {
        let name: [UInt8]
        /// The column of its values that are no objects; -1 for none so far.
        var column = -1
        /// The node of its values that are objects; -1 for none so far.
        var node = -1
    }

    /// The members that objects of one path have.
    private struct Node {
        let prefix: String
        var members: [Member] = []
        var places: [[UInt8]: Int] = [:]
    }

    private var nodes = [Node(prefix: "")]
    private var columns: [String: Int] = [:]
    /// Names of the columns.
    private(set) var names: [String] = []

    /// A map of thousands of keys is no table.
    static let most = 10_000

    /// The place of a member in its node; `nil` when it was never added.
    /// - Parameter hint: where it is likely to be.
    @inline(__always)
    func find(_ node: Int, _ name: UnsafeRawBufferPointer, hint: Int) -> Int? {
        let members = nodes[node].members
        if hint < members.count, Self.equals(members[hint].name, name) { return hint }
        return nodes[node].places[Array(name)]
    }

    func member(_ node: Int, _ place: Int) -> Member { nodes[node].members[place] }

    @inline(__always)
    private static func equals(_ name: [UInt8], _ other: UnsafeRawBufferPointer) -> Bool {
        guard name.count == other.count, let base = other.baseAddress else { return name.count == other.count }
        return name.withUnsafeBytes { $0.baseAddress.map { memcmp($0, base, other.count) == 0 } ?? true }
    }

    /// The place of a member, added if it is new.
    private func place(_ node: Int, _ name: UnsafeRawBufferPointer, hint: Int) -> Int {
        if let found = find(node, name, hint: hint) { return found }
        let bytes = Array(name)
        nodes[node].members.append(Member(name: bytes))
        nodes[node].places[bytes] = nodes[node].members.count - 1
        return nodes[node].members.count - 1
    }

    /// Adds the columns of a record that is not known yet, if it can be taken apart to its end.
    /// - Throws: ``FileRefusal`` for too many columns.
    func add(_ record: UnsafeRawBufferPointer) throws {
        var scanner = JSONScanner(record)
        scanner.takesNotFinite = true
        // What is wrong with a record is said when it is read.
        if (try? knows(&scanner)) ?? true { return }
        var whole = JSONScanner(record)
        whole.takesNotFinite = true
        guard (try? whole.skipValue()) != nil, (try? whole.expectEnd()) != nil else { return }
        scanner = JSONScanner(record)
        scanner.takesNotFinite = true
        do { try add(&scanner, node: 0, depth: 0) } catch is JSONScanner.Fault {}
    }

    /// Whether all members of an object, and of those in it, were added.
    private func knows(_ scanner: inout JSONScanner, node: Int = 0, depth: Int = 0) throws -> Bool {
        var hint = 0
        var isKnown = true
        try scanner.forEachMember(depth: depth) { scanner, name in
            let place = find(node, name, hint: hint)
            hint = (place ?? hint) + 1
            let member = place.map { nodes[node].members[$0] }
            if scanner.next() == .object, let inner = member?.node, inner >= 0 {
                isKnown = try knows(&scanner, node: inner, depth: depth + 1) && isKnown
            } else {
                isKnown = isKnown && scanner.next() != .object && (member?.column ?? -1) >= 0
                try scanner.skipValue(depth: depth + 1)
            }
        }
        return isKnown
    }

    private func add(_ scanner: inout JSONScanner, node: Int, depth: Int) throws {
        var hint = 0
        try scanner.forEachMember(depth: depth) { scanner, name in
            let place = self.place(node, name, hint: hint)
            hint = place + 1
            if scanner.next() == .object {
                try add(&scanner, node: inner(node, place), depth: depth + 1)
            } else {
                try scanner.skipValue(depth: depth + 1)
                if nodes[node].members[place].column < 0 {
                    nodes[node].members[place].column = try column(path(node, place))
                }
            }
        }
    }

    /// The column of a path. A member `a.b` and a member `b` of `a` are one.
    private func column(_ path: String) throws -> Int {
        if let known = columns[path] { return known }
        try refuseMore(than: names.count)
        columns[path] = names.count
        names.append(path)
        return names.count - 1
    }

    /// The node of a member's objects, added if there is none yet.
    private func inner(_ node: Int, _ place: Int) throws -> Int {
        if nodes[node].members[place].node >= 0 { return nodes[node].members[place].node }
        try refuseMore(than: nodes.count)
        nodes.append(Node(prefix: path(node, place) + "."))
        nodes[node].members[place].node = nodes.count - 1
        return nodes.count - 1
    }

    private func refuseMore(than count: Int) throws {
        guard count < Self.most else {
            throw FileRefusal("its records have more than \(Self.most) different members")
        }
    }

    private func path(_ node: Int, _ place: Int) -> String {
        nodes[node].prefix + String(decoding: nodes[node].members[place].name, as: UTF8.self)
    }
}
