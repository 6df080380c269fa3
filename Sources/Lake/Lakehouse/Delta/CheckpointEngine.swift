/// The part of an engine that writes and reads the checkpoints of Delta logs, which are Parquet files.
package protocol CheckpointEngine {
    /// Writes the actions of a Delta checkpoint to one Parquet file with the protocol's columns.
    func writeCheckpoint(_ actions: [DeltaAction], into file: String) throws

    /// Reads the actions of a Delta checkpoint, whoever wrote it: its file or, of one in parts, its files.
    func readCheckpoint(_ files: [String]) throws -> [DeltaAction]
}
