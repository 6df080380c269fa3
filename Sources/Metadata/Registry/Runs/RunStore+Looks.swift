internal import SQLText

extension RunStore {
    /// Counts the runs of a model, up to this one, that were measured on the same test part.
    ///
    /// Finished or rejected runs with the same table and the same split; rows added to the table since do not make it
    /// another part.
    package func looks(atTestPartOf run: Run) throws -> Int {
        try metadata.read { transaction in
            try transaction.connection.row(
                """
                SELECT count(*) AS looks FROM runs AS other
                WHERE other.project = \(transaction.project) AND other.model = \(run.model)
                    AND other.status IN ('finished', 'rejected') AND other.started <= \(run.started)
                    AND NOT EXISTS (
                        SELECT 1 FROM run_params AS own
                        WHERE own.project = \(transaction.project) AND own.run = \(run.id)
                            AND (own.name = 'table' OR own.name LIKE 'split.%')
                            AND NOT EXISTS (
                                SELECT 1 FROM run_params AS same
                                WHERE same.project = \(transaction.project) AND same.run = other.id AND same.name = own.name
                                    AND same.value = own.value))
                """
            ).map { try $0.int("looks") } ?? 0
        }
    }
}
