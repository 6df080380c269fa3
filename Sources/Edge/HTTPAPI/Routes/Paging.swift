internal import Core
internal import Hummingbird

/// Cursor paging of lists: `limit` items, and a cursor for the next page.
///
/// A cursor holds the place, not a number of items to skip, so that nothing is repeated or left out while the list
/// grows.
struct Paging: Sendable {
    static let parameters: [Route.Parameter] = [
        .init("limit", .integer(minimum: 1, maximum: 200), "Items in a page (50)."),
        .init("cursor", .text(pattern: "^([0-9a-f]{2})*$", maxLength: 800), "`next_cursor` of the page before."),
    ]

    let limit: Int
    /// The place of the last item that was returned; "" for the beginning.
    let after: String

    init(_ request: Request) throws {
        let query = request.uri.queryParameters
        limit = query["limit"].flatMap { Int($0) } ?? 50
        guard let cursor = query["cursor"], !cursor.isEmpty else {
            after = ""
            return
        }
        let digits = Array(cursor.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { at in
            UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16)
        }
        after = String(decoding: bytes, as: UTF8.self)
    }

    static func cursor(after place: String) -> String {
        place.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// A place for numbers that go down.
    static func descending(_ number: Int) -> String {
        let digits = String(1_000_000_000 - number)
        return String(repeating: "0", count: max(0, 10 - digits.utf8.count)) + digits
    }

    /// The page of a list that is in the order of `place`.
    func page<Item: Encodable>(_ items: [Item], by place: (Item) -> String) throws -> Response {
        let rest = items.drop { !after.isEmpty && !Array(after.utf8).lexicographicallyPrecedes(Array(place($0).utf8)) }
        let shown = rest.prefix(limit)
        return try Paging.page(Array(shown), next: rest.count > limit ? shown.last.map(place) : nil)
    }

    static func page<Item: Encodable>(_ items: [Item], next: String?) throws -> Response {
        return try .json(ListPage(items: items, next: next.map { cursor(after: $0) }))
    }
}

/// JSON form of a page.
private struct ListPage<Item: Encodable>: Encodable {
    var items: [Item]
    var next: String?
    enum CodingKeys: String, CodingKey {
        case items
        case next = "next_cursor"
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(items, forKey: .items)
        try box.encode(next, forKey: .next)
    }
}

extension Route.Parameter {
    /// Which project is meant.
    static let project = Route.Parameter(
        "project", .text(maxLength: 200), "The project (the token's own, else the server's first).")
}
