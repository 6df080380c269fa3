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

    /// Adds the columns of a record.
    /// - Parameter scanner: stands before the object.
    /// - Throws: `JSONScanner.Fault`, and ``FileRefusal`` for too many columns. What came before the fault is added.
    func add(_ scanner: inout JSONScanner, node: Int = 0, depth: Int = 0) throws {
        guard depth < 64 else { throw scanner.fault(.deep) }
        try scanner.expect(UInt8(ascii: "{"), "an object")
        if scanner.take(UInt8(ascii: "}")) { return }
        var hint = 0
        repeat {
            let key = try scanner.key()
            let place =
                key.hasEscapes
                ? Array(scanner.string(key).utf8).withUnsafeBytes { self.place(node, $0, hint: hint) }
                : self.place(node, scanner.raw(key), hint: hint)
            hint = place + 1
            if scanner.next() == .object {
                var inner = nodes[node].members[place].node
                if inner < 0 {
                    nodes.append(Node(prefix: path(node, place) + "."))
                    inner = nodes.count - 1
                    nodes[node].members[place].node = inner
                }
                try add(&scanner, node: inner, depth: depth + 1)
            } else {
                try scanner.skipValue(depth: depth + 1)
                if nodes[node].members[place].column < 0 {
                    guard names.count < Self.most else {
                        throw FileRefusal("its records have more than \(Self.most) different members")
                    }
                    nodes[node].members[place].column = names.count
                    names.append(path(node, place))
                }
            }
        } while try scanner.more(UInt8(ascii: "}"))
    }

    private func path(_ node: Int, _ place: Int) -> String {
        nodes[node].prefix + String(decoding: nodes[node].members[place].name, as: UTF8.self)
    }
}
