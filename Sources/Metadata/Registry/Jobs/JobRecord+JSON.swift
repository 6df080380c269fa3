internal import Core

/// The shape that commands, events and the API show.
extension JobRecord: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, kind, arguments, state, priority, attempts
        case maxAttempts = "max_attempts"
        case token, owner
        case leaseUntil = "lease_until"
        case heartbeat
        case notBefore = "not_before"
        case timeLimit = "time_limit"
        case memoryLimit = "memory_limit"
        case progress, created, started, ended, seconds, actor
        case cancelledBy = "cancelled_by"
        case reason
        case errorCode = "error_code"
        case exitCode = "exit_code"
        case signal, result
        case idempotencyKey = "idempotency_key"
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(id, forKey: .id)
        try box.encode(kind, forKey: .kind)
        try box.encode(arguments, forKey: .arguments)
        try box.encode(state, forKey: .state)
        try box.encode(priority, forKey: .priority)
        try box.encode(attempts, forKey: .attempts)
        try box.encode(maxAttempts, forKey: .maxAttempts)
        try box.encode(token, forKey: .token)
        try box.encodeIfPresent(owner, forKey: .owner)
        try box.encodeIfPresent(leaseUntil, forKey: .leaseUntil)
        try box.encodeIfPresent(heartbeat, forKey: .heartbeat)
        try box.encode(notBefore, forKey: .notBefore)
        try box.encodeIfPresent(timeLimit, forKey: .timeLimit)
        try box.encodeIfPresent(memoryLimit, forKey: .memoryLimit)
        try box.encodeIfPresent(progress, forKey: .progress)
        try box.encode(created, forKey: .created)
        try box.encodeIfPresent(started, forKey: .started)
        try box.encodeIfPresent(ended, forKey: .ended)
        try box.encodeIfPresent(seconds, forKey: .seconds)
        try box.encode(actor, forKey: .actor)
        try box.encodeIfPresent(cancelledBy, forKey: .cancelledBy)
        try box.encodeIfPresent(reason, forKey: .reason)
        try box.encodeIfPresent(errorCode, forKey: .errorCode)
        try box.encodeIfPresent(exitCode, forKey: .exitCode)
        try box.encodeIfPresent(signal, forKey: .signal)
        if let result {
            try box.encode((try? JSON.decode(JSONValue.self, from: result)) ?? .text(result), forKey: .result)
        }
        try box.encodeIfPresent(idempotencyKey, forKey: .idempotencyKey)
    }
}
