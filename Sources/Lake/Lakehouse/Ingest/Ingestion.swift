internal import Core
internal import SQLLineage
internal import SourceFormats
internal import Storage

/// One attempt to ingest files: the table as it was found, and what is to be added to it.
final class Ingestion {
    let contract: Contract
    let format: SourceFormat
    let bronze: TableName
    let quarantine: TableName
    let table: DeltaTable
    let aside: DeltaTable
    let snapshot: DeltaSnapshot?
    let startFields: [DeltaField]
    /// The transactions of the quarantine table.
    let asideKnown: [String: Int64]
    private let before: Set<String>
    /// The same, in the table's order.
    private let ordered: [String]

    /// The table's Parquet files as they will be, in order.
    private(set) var live: [String]
    private var fresh: [String: WrittenFile] = [:]
    private(set) var removed: Set<String> = []
    private(set) var hashAdded = ContentHash()
    private(set) var hashRemoved = ContentHash()
    private(set) var quarantined: [WrittenFile] = []
    var asideTransactions: [String] = []
    /// Whether `quarantined` stands in the quarantine table.
    var isAsideCommitted = false
    /// Attempts in quarantine that count no more.
    var outdated: Set<String> = []
    /// Files whose form was looked at.
    var examined = 0
    /// Known files that were read again and taken.
    var read: [Digest] = []

    /// - Parameter isAgain: begins with an empty table, into which all known files go.
    init(contract: Contract, format: SourceFormat, in lake: Lake, isAgain: Bool = false) throws {
        self.contract = contract
        self.format = format
        bronze = TableName(.bronze, contract.source)
        quarantine = TableName(.quarantine, contract.source)
        table = lake.table(bronze)
        aside = lake.table(quarantine)
        snapshot = try table.exists ? lake.snapshot(of: bronze) : nil
        startFields = try snapshot?.metadata?.fields() ?? []
        asideKnown = try aside.exists ? lake.snapshot(of: quarantine).transactions : [:]
        live = (snapshot?.files ?? []).map { [table] in table.path(of: $0) }
        ordered = live
        before = Set(live)
        if isAgain {
            removed = before
            live = []
        }
    }

    func noteRefusal(of digest: Digest, isBeyondShare: Bool, in lake: Lake) {
        asideTransactions.append(lake.refusal(digest, contract))
        if isBeyondShare { asideTransactions.append(lake.share(digest, contract)) }
    }

    func isKnown(_ transaction: String) -> Bool { snapshot?.transactions[transaction] != nil }

    /// Whether rows of the file stand in quarantine though nothing of it stands in bronze.
    func isQuarantined(_ transaction: String) -> Bool { asideKnown[transaction] != nil }

    /// The table's Parquet files as they were.
    var earlier: [String] { ordered }

    /// New data files, in the order of the table.
    var written: [WrittenFile] { live.compactMap { fresh[$0] } }

    func add(_ batch: BatchAcceptance) {
        for rewrite in batch.rewrites {
            live.removeAll { $0 == rewrite.old }
            if before.contains(rewrite.old) {
                removed.insert(rewrite.old)
            } else if fresh.removeValue(forKey: rewrite.old) != nil {
                Disk.remove(rewrite.old)
            }
            hashRemoved = hashRemoved + rewrite.oldHash
            hashAdded = hashAdded + rewrite.new.hash
            if rewrite.new.rows > 0 {
                live.append(rewrite.new.path)
                fresh[rewrite.new.path] = rewrite.new
            } else {
                Disk.remove(rewrite.new.path)
            }
        }
        for file in batch.accepted {
            live.append(file.path)
            fresh[file.path] = file
            hashAdded = hashAdded + file.hash
        }
        if let file = batch.quarantined { quarantined.append(file) }
    }

    /// Whether the rows can be added to a later version than the one they were checked against: without keys they
    /// depend on nothing in the table, as long as no other program took one of the files and the schema is the same.
    func mayFollow(_ current: DeltaSnapshot?, _ transactions: [String]) -> Bool {
        guard let current, contract.key.isEmpty, removed.isEmpty else { return false }
        return current.metadata?.schemaString == snapshot?.metadata?.schemaString
            && transactions.allSatisfy { current.transactions[$0] == nil }
    }

    /// Removes the data files that no commit names.
    func discard() { for path in fresh.keys { Disk.remove(path) } }
}
