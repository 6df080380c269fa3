internal import Core
internal import Lakehouse
internal import Projects
package import SQLLineage
package import Training

/// A project's complete definition of a model, stored with each run so that a version can be rebuilt.
package struct ModelSpecification: Codable, Sendable {
    /// Name of the model, as in martlet.yaml.
    package var name: String
    /// Gold or silver table with the training rows.
    package var table: TableName
    /// Column that identifies a row.
    package var key: String
    /// Column of the label; rows where it is null are not trained on.
    package var target: String
    /// Value of the target that counts as positive, compared as text or as a number.
    package var positive: String
    /// Column of the entity whose rows stay in one part of a split, unless that is by key; `nil`: none.
    package var group: String?
    /// Column with the time of prediction; `nil`: none is declared.
    package var eventTime: String?
    /// The only feature columns; `nil`: all without another role, without a leading _, and not excluded.
    package var include: [String]?
    /// Columns that are not features; empty where `include` is set.
    package var exclude: [String]
    /// Numeric columns whose values are categories.
    package var categorical: [String]
    /// Settings of split, learner, calibration, threshold and gates.
    package var plan: TrainingPlan

    init(_ model: Project.Model) {
        name = model.name
        table = model.table
        key = model.key
        target = model.target
        positive = model.positive
        group = model.group
        eventTime = model.eventTime
        include = model.include
        exclude = model.exclude
        categorical = model.categorical
        plan = model.plan
    }

    private enum CodingKeys: String, CodingKey {
        case name, table, key, target, positive, group, eventTime, include, exclude, categorical, plan
    }

    /// Decodes the stored form; lists that are absent are empty.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        table = try container.decode(TableName.self, forKey: .table)
        key = try container.decode(String.self, forKey: .key)
        target = try container.decode(String.self, forKey: .target)
        positive = try container.decode(String.self, forKey: .positive)
        group = try container.decodeIfPresent(String.self, forKey: .group)
        eventTime = try container.decodeIfPresent(String.self, forKey: .eventTime)
        include = try container.decodeIfPresent([String].self, forKey: .include)
        exclude = try container.decodeIfPresent([String].self, forKey: .exclude) ?? []
        categorical = try container.decodeIfPresent([String].self, forKey: .categorical) ?? []
        plan = try container.decode(TrainingPlan.self, forKey: .plan)
    }
}

/// The SQL of a table as a run used it.
struct StoredTransform: Codable, Sendable {
    var table: TableName
    var file: String
    var sql: String
    /// The column by which an incremental table is kept sorted.
    var orderedBy: String?

    /// The SELECT over these files, in the order in which its table is kept.
    func query(over inputs: [TableName: [String]], inRowOrder: Bool) -> Query {
        var query = Query(sql, file: file, inputs: inputs, inRowOrder: inRowOrder)
        query.orderedBy = orderedBy
        return query
    }
}

/// The stored specification and SQL from which a version can be rebuilt.
struct Blueprint: Codable, Sendable {
    var model: ModelSpecification
    var transforms: [StoredTransform]
}
