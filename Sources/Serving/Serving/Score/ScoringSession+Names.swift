extension ScoringSession {
    /// Sets the entity ids of the scored rows, in order, for the log.
    package func name(records keys: [String]) {
        for (row, key) in keys.enumerated() where row < batch.count { batch.note(entity: key, row: row) }
    }
}
