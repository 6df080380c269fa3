package import Core

// Reading actions. A member that is null counts as absent, one that is unknown is passed over, and one that the
// protocol requires but is missing or of another type makes the line no action.

extension DeltaAction {
    /// Decodes one action from JSON.
    /// - Returns: `nil` when the value is no action.
    package init?(_ json: JSONValue) {
        guard let members = json.members else { return nil }
        func read<T>(_ name: String, _ make: (JSONValue) -> T?) -> T?? {
            guard let value = members[name], value != .null else { return .some(nil) }
            return make(value).map { .some($0) }
        }
        guard let `protocol` = read("protocol", { DeltaProtocol($0) }),
            let metaData = read("metaData", { DeltaMetadata($0) }), let txn = read("txn", { DeltaTransaction($0) }),
            let add = read("add", { DeltaAdd($0) }), let remove = read("remove", { DeltaRemove($0) })
        else { return nil }
        let info = members["commitInfo"]
        self.init(
            commitInfo: info == .null ? nil : info, protocol: `protocol`, metaData: metaData, txn: txn, add: add,
            remove: remove)
    }
}

extension DeltaProtocol {
    fileprivate init?(_ json: JSONValue) {
        guard let reader = json["minReaderVersion"]?.integer, let writer = json["minWriterVersion"]?.integer else {
            return nil
        }
        minReaderVersion = reader
        minWriterVersion = writer
        readerFeatures = json["readerFeatures"]?.list?.compactMap(\.text)
        writerFeatures = json["writerFeatures"]?.list?.compactMap(\.text)
    }
}

extension DeltaMetadata {
    fileprivate init?(_ json: JSONValue) {
        guard let id = json["id"]?.text, let schema = json["schemaString"]?.text else { return nil }
        self.id = id
        name = json["name"]?.text
        description = json["description"]?.text
        format.provider = json["format"]?["provider"]?.text ?? format.provider
        format.options = json["format"]?["options"]?.texts ?? [:]
        schemaString = schema
        partitionColumns = json["partitionColumns"]?.list?.compactMap(\.text) ?? []
        configuration = json["configuration"]?.texts ?? [:]
        createdTime = json["createdTime"]?.long
    }
}

extension DeltaTransaction {
    fileprivate init?(_ json: JSONValue) {
        guard let id = json["appId"]?.text, let version = json["version"]?.long else { return nil }
        appId = id
        self.version = version
        lastUpdated = json["lastUpdated"]?.long
    }
}

extension DeltaAdd {
    fileprivate init?(_ json: JSONValue) {
        // No file is larger: sums of sizes cannot overflow.
        guard let path = json["path"]?.text, let size = json["size"]?.long, (0...(1 << 48)).contains(size) else {
            return nil
        }
        self.init(path: path, size: size, rows: 0, modificationTime: json["modificationTime"]?.long ?? 0)
        partitionValues = json["partitionValues"]?.members?.mapValues(\.text) ?? [:]
        dataChange = json["dataChange"]?.flag ?? true
        // A checkpoint may carry statistics as a struct instead.
        stats =
            json["stats"]?.text
            ?? json["stats_parsed"]?["numRecords"]?.long.map { "{\"numRecords\":\($0)}" }
        let tags = json["tags"]?.texts ?? [:]
        self.tags = tags.isEmpty ? nil : tags
    }
}

extension DeltaRemove {
    fileprivate init?(_ json: JSONValue) {
        guard let path = json["path"]?.text else { return nil }
        self.init(
            path: path, deletionTimestamp: json["deletionTimestamp"]?.long,
            dataChange: json["dataChange"]?.flag ?? true)
    }
}

extension JSONValue {
    fileprivate var texts: [String: String]? { members?.compactMapValues(\.text) }
}
