internal import Training

/// Writes the answers to a batch's rows, one line each.
struct BatchWriter {
    private var writer = JSONWriter()
    private let model: ServedModel
    private let kept: PassthroughCells

    init(_ model: ServedModel, _ kept: PassthroughCells, rows: Int) {
        writer.reserve(rows * 64)
        self.model = model
        self.kept = kept
    }

    var bytes: [UInt8] { writer.bytes }

    /// - Parameters:
    ///   - row: its place in the block.
    ///   - number: its number in the batch.
    ///   - fault: why it has no score.
    mutating func row(
        _ row: Int, number: Int, probability: Double, _ fault: InputFault?, _ warnings: [InputFault.Code]
    ) {
        switch kept.form {
        case .csv: csv(row, number, probability, fault, warnings)
        case .jsonLines: json(row, number, probability, fault, warnings)
        }
    }

    private mutating func csv(
        _ row: Int, _ number: Int, _ probability: Double, _ fault: InputFault?, _ warnings: [InputFault.Code]
    ) {
        writer.integer(number)
        for place in kept.names.indices {
            writer.raw(",")
            writer.raw(kept.cell(row, place))
        }
        writer.raw(",")
        if let fault {
            writer.raw(model.bands == nil ? ",," : ",,,")
            var cell: [UInt8] = []
            CSVField.append("\(fault.code.rawValue): \(fault.path): \(fault.detail)", to: &cell)
            writer.raw(cell)
        } else {
            writer.number(probability)
            if model.isPositive(probability) { writer.raw(",true") } else { writer.raw(",false") }
            if let bands = model.bands {
                switch bands.band(of: probability) {
                case .low: writer.raw(",low")
                case .medium: writer.raw(",medium")
                case .high: writer.raw(",high")
                }
            }
            writer.raw(",")
        }
        writer.raw(",")
        for (index, code) in warnings.enumerated() {
            if index > 0 { writer.raw(" ") }
            writer.raw(Array(code.rawValue.utf8))
        }
        writer.raw("\n")
    }

    private mutating func json(
        _ row: Int, _ number: Int, _ probability: Double, _ fault: InputFault?, _ warnings: [InputFault.Code]
    ) {
        writer.raw("{\"row\":")
        writer.integer(number)
        for (place, name) in kept.names.enumerated() {
            let cell = kept.cell(row, place)
            if cell.isEmpty { continue }
            writer.raw(",")
            writer.text(name)
            writer.raw(":")
            writer.raw(cell)
        }
        if let fault {
            writer.raw(",\"error\":{\"code\":")
            writer.text(fault.code.rawValue)
            writer.raw(",\"path\":")
            writer.text(fault.path)
            writer.raw(",\"detail\":")
            writer.text(fault.detail)
            writer.raw("}")
        } else {
            writer.raw(",\"probability\":")
            writer.number(probability)
            writer.raw(",\"decision\":")
            writer.flag(model.isPositive(probability))
            if let bands = model.bands {
                writer.raw(",\"band\":\"")
                writer.raw(Array(bands.band(of: probability).rawValue.utf8))
                writer.raw("\"")
            }
        }
        if !warnings.isEmpty {
            writer.raw(",\"warnings\":[")
            for (index, code) in warnings.enumerated() {
                if index > 0 { writer.raw(",") }
                writer.text(code.rawValue)
            }
            writer.raw("]")
        }
        writer.raw("}\n")
    }
}
