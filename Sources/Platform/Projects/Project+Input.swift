internal import Training

extension Project {
    /// Reads `input:` of a model. A column has the model's reactions but for those that it names itself.
    static func input(_ value: YAMLValue) -> InputPolicy {
        var policy = InputPolicy()
        policy.standard = column(value, standard: InputPolicy.Column())
        if let unknown = reaction(value["unknown_column"]) { policy.unknownColumn = unknown }
        for (name, given) in value["columns"]?.members ?? [] {
            var column = column(given, standard: policy.standard)
            column.minimum = given["min"]?.number
            column.maximum = given["max"]?.number
            policy.columns[name] = column
        }
        return policy
    }

    private static func column(_ value: YAMLValue, standard: InputPolicy.Column) -> InputPolicy.Column {
        var column = standard
        if let given = reaction(value["unknown_category"]) { column.unknownCategory = given }
        if let given = reaction(value["missing_column"]) { column.missingColumn = given }
        if let given = reaction(value["wrong_type"]) { column.wrongType = given }
        if let given = reaction(value["out_of_range"]) { column.outOfRange = given }
        return column
    }

    private static func reaction(_ value: YAMLValue?) -> InputPolicy.Reaction? {
        value.flatMap { InputPolicy.Reaction(rawValue: $0.text) }
    }
}
