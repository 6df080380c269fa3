internal import JSONText

/// Copies the elements of tensors into a batch.
struct TensorRows {
    private let rows: JSONRows
    private var batch: RowBatch { rows.batch }
    private var schema: RowSchema { rows.schema }

    init(_ rows: JSONRows) { self.rows = rows }

    func fill(_ tensors: [TensorRequest.Tensor], binary: UnsafeRawBufferPointer) throws(InputFault) {
        batch.place = .tensors
        guard let first = tensors.first else { throw InputFault(.shape, at: "$.inputs", "There are no inputs.") }
        let count = first.shape.first ?? 0
        guard count <= rows.mostRows else { return batch.failTooManyRows(rows.mostRows) }
        batch.begin(rows: count)
        batch.order = [Int](repeating: 0, count: schema.width)
        var used = 0
        for (place, tensor) in tensors.enumerated() {
            let path = "$.inputs[\(place)]"
            guard let type = tensor.type else { throw InputFault(.shape, at: path, "The datatype is missing.") }
            guard tensor.shape.first == count else {
                throw InputFault(.shape, at: path, "The shape \(tensor.shape) does not begin with \(count).")
            }
            let columns = try columns(of: tensor, count: tensors.count, at: path)
            for column in columns where column >= 0 { batch.order[column] = place }
            if let size = tensor.binarySize {
                guard size >= 0, size <= binary.count - used else {
                    throw InputFault(.shape, at: path, "The tensor has \(size) bytes; \(binary.count - used) are left.")
                }
                let bytes = UnsafeRawBufferPointer(rebasing: binary[used..<(used + size)])
                used += size
                try fill(bytes, type, columns, count, path)
            } else {
                guard let data = tensor.data else { throw InputFault(.shape, at: path, "There are no data.") }
                try fill(data, type, columns, count, path)
            }
        }
        guard used == binary.count else {
            throw InputFault(.shape, at: "$", "\(binary.count - used) bytes follow the last tensor.")
        }
        for row in 0..<batch.count { batch.findAbsent(row * schema.width) }
    }

    /// The model's columns in the tensor's last dimension; -1 for a column that it does not have.
    private func columns(
        of tensor: TensorRequest.Tensor, count: Int, at path: String
    ) throws(InputFault) -> [Int] {
        var name = tensor.name
        let named = name.withUTF8 { schema.names.find(UnsafeRawBufferPointer($0)) }
        let width = tensor.shape.dropFirst().reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        if let named, width == 1, tensor.shape.count <= 2 { return [named] }
        if count == 1, tensor.shape.count == 2, width == schema.width { return Array(0..<width) }
        guard width == 1, tensor.shape.count <= 2 else {
            throw InputFault(
                .shape, at: path,
                "The shape is \(tensor.shape): send one tensor a column with shape [n] or [n, 1], or one tensor [n, \(schema.width)]."
            )
        }
        if tensor.name != schema.entity { batch.stranger(tensor.name, row: 0) }
        return [-1]
    }

    private func fill(
        _ data: JSONScanner, _ type: TensorType, _ columns: [Int], _ count: Int, _ path: String
    ) throws(InputFault) {
        var scanner = data
        var element = 0
        do {
            try walk(&scanner, 0) { scanner throws(JSONScanner.Fault) in
                let column = columns[element % columns.count]
                let row = element / columns.count
                element += 1
                if column >= 0, row < count {
                    try rows.cell(&scanner, column, row * schema.width + column)
                } else {
                    try scanner.skipValue()
                }
            }
        } catch { throw InputFault(error, at: path) }
        try check(element, columns.count * count, path)
    }

    /// Elements come flat or nested, row by row.
    private func walk(
        _ scanner: inout JSONScanner, _ depth: Int, _ visit: (inout JSONScanner) throws(JSONScanner.Fault) -> Void
    ) throws(JSONScanner.Fault) {
        guard depth < 4 else { throw scanner.fault(.deep) }
        try scanner.expect(UInt8(ascii: "["), "a list of elements")
        if scanner.take(UInt8(ascii: "]")) { return }
        repeat {
            if scanner.next() == .list { try walk(&scanner, depth + 1, visit) } else { try visit(&scanner) }
        } while try scanner.more(UInt8(ascii: "]"))
    }

    private func fill(
        _ bytes: UnsafeRawBufferPointer, _ type: TensorType, _ columns: [Int], _ count: Int, _ path: String
    ) throws(InputFault) {
        let elements = columns.count * count
        guard let width = type.width else { return try fillTexts(bytes, columns, elements, path) }
        guard bytes.count == width * elements else {
            throw InputFault(
                .shape, at: path,
                "\(elements) elements of \(type.rawValue) have \(width * elements) bytes, not \(bytes.count).")
        }
        for element in 0..<elements {
            let column = columns[element % columns.count]
            guard column >= 0 else { continue }
            let cell = element / columns.count * schema.width + column
            if type == .bool {
                rows.put(bytes[element] != 0, column, cell)
                continue
            }
            let value = type.number(bytes, at: element * width)
            if value.isNaN { batch.putMissing(column, cell) } else { batch.put(value, column, cell) }
        }
    }

    private func fillTexts(
        _ bytes: UnsafeRawBufferPointer, _ columns: [Int], _ elements: Int, _ path: String
    ) throws(InputFault) {
        var at = 0
        var element = 0
        while at < bytes.count, element < elements {
            guard bytes.count - at >= 4 else { break }
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            guard bytes.count - at - 4 >= length else { break }
            let text = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(at + 4 + length)])
            let column = columns[element % columns.count]
            if column >= 0 { batch.put(text, column, element / columns.count * schema.width + column) }
            at += 4 + length
            element += 1
        }
        try check(element, elements, path)
        guard at == bytes.count else { throw InputFault(.shape, at: path, "The texts' lengths do not fit the tensor.") }
    }

    private func check(_ found: Int, _ wanted: Int, _ path: String) throws(InputFault) {
        guard found == wanted else {
            throw InputFault(.shape, at: path, "The tensor has \(found) elements; its shape says \(wanted).")
        }
    }
}
