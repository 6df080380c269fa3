internal import Core
package import Lakehouse
package import Registry
package import SQLLineage
internal import Storage

/// Records the commits of Delta tables as events in the registry.
///
/// ```swift
/// try CommitProjector(lake, registry.events).projectAll()
/// ```
///
/// The commit in a table's own log is the durable record of a version; its event is derived from the log alone, with an
/// id made of the table's name, its id and the version, so deriving it again writes nothing. It runs after each commit,
/// and over all tables when a project is opened for writing: a kill between commit and event loses nothing and doubles
/// nothing, and a version that another program committed gets its event, too.
///
/// A table without a new version costs one look at its log folder.
package struct CommitProjector {
    private let lake: Lake
    private let events: EventStore

    package init(_ lake: Lake, _ events: EventStore) {
        self.lake = lake
        self.events = events
    }

    /// Records all commits that have no event. A table whose log cannot be read is skipped.
    ///
    /// Whoever uses such a table gets the error. Errors of the registry are thrown.
    package func projectAll() throws {
        let tables = try lake.tables()
        guard !tables.isEmpty else { return }
        let offsets = try events.tableOffsets()
        for name in tables {
            let news: News?
            do { news = try self.news(of: name, since: offsets[name.description]) } catch is MartletError { continue }
            try record(news)
        }
    }

    /// Records the commits of one table that have no event.
    package func project(_ name: TableName) throws {
        try record(try news(of: name, since: try events.tableOffsets()[name.description]))
    }

    private struct News {
        var drafts: [EventDraft]
        var offset: TableOffset
    }

    /// What a table's log has that there are no events of.
    private func news(of name: TableName, since known: TableOffset?) throws -> News? {
        let table = lake.table(name)
        guard let latest = try table.versions().last else { return nil }
        let isSame = try known.map { try table.stamp(of: $0.version)?.tag == $0.stamp } ?? false
        if isSame, known?.version == latest { return nil }
        // The log entry of the last version with an event is the one that it was: the table is the same one.
        let id =
            if isSame, let known { known.tableID } else { try lake.snapshot(of: name).metadata?.id ?? name.description }
        let done = known?.tableID == id ? known?.version ?? -1 : -1
        let versions = try table.versions().filter { $0 > done }
        let drafts = try versions.map { EventDraft(committed: try table.described($0), of: name, tableID: id) }
        let last = max(done, versions.last ?? done)
        guard last >= 0 else { return nil }
        return News(
            drafts: drafts,
            offset: TableOffset(
                name: name.description, tableID: id, version: last, stamp: try table.stamp(of: last)?.tag ?? ""))
    }

    private func record(_ news: News?) throws {
        guard let news else { return }
        try Failpoint.reach("events.before-projection")
        try events.record(news.drafts, upTo: news.offset)
        try Failpoint.reach("events.after-projection")
    }
}

extension EventDraft {
    /// The event of a committed table version.
    package init(committed commit: TableCommit, of name: TableName, tableID: String) {
        self.init(
            .tableCommitted, id: "table/\(name)/\(tableID)/\(commit.version)", subject: "tables/\(name)",
            time: commit.time,
            data: [
                "table": .text(name.description), "layer": .text(name.layer.rawValue), "table_id": .text(tableID),
                "version": .integer(Int64(commit.version)), "operation": .text(commit.operation),
                "changes_data": .flag(commit.changesData),
                "rows": commit.contentHash.map { .integer(Int64($0.rows)) },
                "rows_added": commit.rowsAdded.map { .integer(Int64($0)) },
                "files_added": .integer(Int64(commit.filesAdded)),
                "files_removed": .integer(Int64(commit.filesRemoved)),
                "landed_files": name.layer == .bronze ? .integer(Int64(commit.landed)) : nil,
                "content_hash": commit.contentHash.map { .text($0.description) },
                "parents": commit.parents.isEmpty ? nil : .list(commit.parents.map { .text($0) }),
            ])
    }
}
