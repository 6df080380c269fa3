package import Core
internal import SQLLineage
internal import Storage

// Which landed files a bronze table was made from stands in the commits that took them. Beside each checkpoint a list
// of all of them up to its version is kept (`_martlet/`, which readers of Delta pass over), so that it costs no more
// than the commits since, and outlives commits that another tool cleans away.

extension Lake {
    /// Returns the files that a bronze table was made from, up to a version, in order of ingestion.
    ///
    /// A file whose name is unknown, because the commit that ingested it was vacuumed, is named by its digest.
    package func ingestedFiles(_ source: String, upTo version: Int? = nil) throws -> [IngestedFile] {
        let name = TableName(.bronze, source)
        let table = table(name)
        let (listed, start) = try listedFiles(in: table, upTo: version ?? .max)
        let log = try table.log()
        var entries = listed
        for number in log.versions where number >= start && number <= version ?? .max {
            let info = try table.commitInfo(number)?["martlet"]
            entries += (info?["files"]?.list ?? []) + (info?["again"]?["files"]?.list ?? [])
        }
        // What a file gave when it was read again stands in the place of what it gave first.
        var files: [IngestedFile] = []
        var places: [Digest: Int] = [:]
        for file in entries.compactMap({ IngestedFile($0) }) {
            if let place = places[file.digest] {
                files[place] = file
            } else {
                places[file.digest] = files.count
                files.append(file)
            }
        }
        if log.gap(start, version ?? log.latest ?? -1) != nil {
            let known = Set(files.map(\.digest))
            let taken = try snapshot(of: name, at: version).transactions.keys.filter { $0.hasPrefix("martlet/file/") }
            for digest in taken.sorted().compactMap({ Digest(hex: String($0.dropFirst("martlet/file/".count))) })
            where !known.contains(digest) {
                files.append(IngestedFile(name: digest.short, digest: digest, rows: 0, rejected: 0, synthetic: false))
            }
        }
        return files
    }

    /// Returns those of the digests whose files a source's bronze and quarantine do not know: ingesting them reads them.
    package func unknownFiles(_ contract: Contract, among digests: [Digest]) throws -> Set<Digest> {
        func transactions(_ name: TableName) throws -> [String: Int64] {
            try table(name).exists ? snapshot(of: name).transactions : [:]
        }
        let taken = try transactions(TableName(.bronze, contract.source))
        let refused = try transactions(TableName(.quarantine, contract.source))
        let dropped = try droppedFiles(contract.source, among: digests)
        return Set(
            digests.filter {
                taken[transaction($0)] == nil && refused[refusal($0, contract)] == nil && !dropped.contains($0)
            })
    }

    /// The newest list of files that can be read, and the version after the last one that it tells of.
    private func listedFiles(in table: DeltaTable, upTo version: Int) throws -> (entries: [JSONValue], next: Int) {
        let prefix = table.prefix + "_martlet/ingested-"
        for name in try table.objects.list(prefix).reversed() where name.hasSuffix(".json") {
            guard let last = Int(name.dropFirst(prefix.count).dropLast(".json".count)), last <= version,
                last < .max, let entries = JSONValue(parsing: try table.objects.read(name))?.list
            else { continue }
            return (entries, last + 1)
        }
        return ([], 0)
    }

    /// Writes the list for a version of a bronze table.
    func keepLineage(of name: TableName, at version: Int) throws {
        guard name.layer == .bronze else { return }
        let table = table(name)
        let object = "\(table.prefix)_martlet/ingested-\(padded(version, 20)).json"
        guard try !table.objects.exists(object) else { return }
        let files = try ingestedFiles(name.name, upTo: version)
        _ = try table.objects.create(object, try JSON.encode(files.map(\.entry)))
    }
}

extension IngestedFile {
    /// As a commit of bronze and a list of files tell of it.
    fileprivate init?(_ entry: JSONValue) {
        guard let name = entry["name"]?.text, let digest = entry["digest"]?.text.flatMap(Digest.init(hex:)) else {
            return nil
        }
        // No file has more, so that sums cannot overflow.
        func count(_ member: String) -> Int { min(max(0, entry[member]?.integer ?? 0), 1 << 48) }
        self.init(
            name: name, digest: digest, rows: count("rows"), rejected: count("rejected"),
            synthetic: entry["synthetic"]?.flag ?? false, terms: entry["terms"]?.text,
            byRow: entry["by_row"]?.flag ?? false, keptUnder: entry["kept_under"]?.text)
    }

    var entry: JSONValue {
        var members: [String: JSONValue] = [
            "name": .text(name), "digest": .text(digest.hex), "rows": .integer(Int64(rows)),
            "rejected": .integer(Int64(rejected)), "synthetic": .flag(synthetic),
        ]
        if let terms { members["terms"] = .text(terms) }
        if let keptUnder { members["kept_under"] = .text(keptUnder) }
        if byRow { members["by_row"] = .flag(true) }
        return .object(members)
    }
}
