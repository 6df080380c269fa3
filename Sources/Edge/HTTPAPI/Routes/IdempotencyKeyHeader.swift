internal import HTTPTypes
internal import Hummingbird

/// Parser of the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).
enum IdempotencyKeyHeader {
    static func isValid(_ key: String) -> Bool {
        (1...128).contains(key.utf8.count) && key.utf8.allSatisfy { (33...126).contains($0) }
    }

    /// - Throws: a `Problem`, 400, for one that cannot stand in headers, logs and databases.
    static func of(_ request: Request) throws -> String? {
        let keys = request.headers[values: .idempotencyKey]
        guard let key = keys.first else { return nil }
        guard keys.count == 1, isValid(key) else {
            throw Problem(
                .badRequest, "request.key", "An Idempotency-Key has 1 to 128 visible ASCII characters, and comes once.")
        }
        return key
    }
}
