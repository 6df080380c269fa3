import Serving
import Training

/// Encoded rows, written again in every form that a request may have.
struct Forms {
    let rows: [Double]
    private var width: Int { Bodies.width }
    private var count: Int { rows.count / width }
    private var features: [Signature.Feature] { Bodies.signature.columns }

    private func value(_ row: Int, _ column: Int, _ writer: inout JSONWriter) {
        let value = rows[row * width + column]
        if features[column].type == .category, let code = Int(exactly: value) {
            writer.text(features[column].levels[code])
        } else {
            writer.number(value)
        }
    }

    private func list(_ writer: inout JSONWriter, _ count: Int, _ item: (Int, inout JSONWriter) -> Void) {
        writer.raw("[")
        for index in 0..<count {
            if index > 0 { writer.raw(" , ") }
            item(index, &writer)
        }
        writer.raw("]")
    }

    var records: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"records\":")
        list(&writer, count) { row, writer in
            for column in 0..<width {
                writer.raw(column == 0 ? "{" : ",")
                writer.text(features[column].name)
                writer.raw(":")
                value(row, column, &writer)
            }
            writer.raw("}")
        }
        writer.raw("}")
        return writer.bytes
    }

    var columns: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"columns\":{")
        for column in (0..<width).reversed() {
            writer.text(features[column].name)
            writer.raw(":")
            list(&writer, count) { value($0, column, &$1) }
            if column > 0 { writer.raw(",") }
        }
        writer.raw("}}")
        return writer.bytes
    }

    private func lists(_ writer: inout JSONWriter, _ order: [Int]) {
        list(&writer, count) { row, writer in
            list(&writer, width) { place, writer in value(row, order[place], &writer) }
        }
    }

    var split: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"dataframe_split\":{\"data\":")
        lists(&writer, Array((0..<width).reversed()))
        writer.raw(",\"columns\":")
        list(&writer, width) { $1.text(features[width - 1 - $0].name) }
        writer.raw("}}")
        return writer.bytes
    }

    var instances: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"instances\":")
        lists(&writer, Array(0..<width))
        writer.raw("}")
        return writer.bytes
    }

    private func head(_ column: Int, _ type: StaticString, _ writer: inout JSONWriter) {
        writer.raw("{\"name\":")
        writer.text(features[column].name)
        writer.raw(",\"shape\":[")
        writer.integer(count)
        writer.raw(",1],\"datatype\":\"")
        writer.raw(type)
        writer.raw("\",")
    }

    var tensors: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"inputs\":")
        list(&writer, width) { column, writer in
            head(column, features[column].type == .category ? "BYTES" : "FP64", &writer)
            writer.raw("\"data\":")
            list(&writer, count) { value($0, column, &$1) }
            writer.raw("}")
        }
        writer.raw("}")
        return writer.bytes
    }

    /// The body, and how many of its bytes are JSON.
    var binaryTensors: ([UInt8], Int) {
        var writer = JSONWriter()
        var tail: [UInt8] = []
        writer.raw("{\"inputs\":")
        list(&writer, width) { column, writer in
            let isCategory = features[column].type == .category
            head(column, isCategory ? "BYTES" : "FP64", &writer)
            let start = tail.count
            for row in 0..<count {
                let value = rows[row * width + column]
                if isCategory {
                    // What the form cannot leave out is a category that nobody knows.
                    let text = Int(exactly: value).map { features[column].levels[$0] } ?? "?"
                    withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { tail += $0 }
                    tail += text.utf8
                } else {
                    withUnsafeBytes(of: value.bitPattern.littleEndian) { tail += $0 }
                }
            }
            writer.raw("\"parameters\":{\"binary_data_size\":")
            writer.integer(tail.count - start)
            writer.raw("}}")
        }
        writer.raw("}")
        return (writer.bytes + tail, writer.bytes.count)
    }

    var csv: [UInt8] {
        var text = features.map { "\"\($0.name)\"" }.joined(separator: ",") + "\r\n"
        for row in 0..<count {
            let fields = (0..<width).map { column -> String in
                let value = rows[row * width + column]
                if value.isNaN { return "" }
                guard features[column].type == .category, let code = Int(exactly: value) else { return "\(value)" }
                return "\"\(features[column].levels[code].replacing("\"", with: "\"\""))\""
            }
            text += fields.joined(separator: ",") + "\n"
        }
        return Array(text.utf8)
    }
}
