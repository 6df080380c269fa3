package import SQLLineage

/// The SQL engine behind a lake: reads, checks and transforms tables; DuckDB by default.
///
/// It has the parts that follow; code that needs one of them takes that one.
///
/// Faults in what the user wrote (SQL, files) are thrown as `MartletError` with their location. Not Sendable: one
/// thread owns an engine.
package protocol LakeEngine: AnyObject, SQLParser, IngestEngine, QueryEngine, TransformEngine, TableFileEngine,
    CheckpointEngine, QuarantineEngine, RejudgeEngine
{
    /// Name and version of the engine, recorded with what it computes; no hash or fingerprint depends on it.
    var identity: String { get }
}
