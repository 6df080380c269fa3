internal import CDuckDB

/// The canonical bytes of rows, the same for equal values however they are stored. Defined in docs/content-hash.md.
///
/// A cell is the byte 0 for NULL, otherwise the byte 1 and the value: truth values as one byte; whole numbers, days and
/// microseconds in 8 bytes; floating-point numbers as doubles with one zero and one NaN; decimals as unscaled 16-byte
/// numbers; texts and bytes behind their length in 8 bytes. Numbers are little-endian.
enum CanonicalCells {
    /// Rows are written in blocks of about this many bytes, which stay in the processor's cache.
    private static let blockBytes = 256 << 10

    /// Calls the body with the bytes of each row, which are there during the call only.
    static func forEachRow(
        _ rows: Int, of columns: [CellColumn], _ body: (_ row: Int, _ bytes: UnsafeRawBufferPointer) -> Void
    ) {
        let fixed = columns.reduce(0) { $0 + $1.largestFixedSize }
        let texts = columns.filter(\.isText)
        let starts = UnsafeMutablePointer<Int>.allocate(capacity: rows)
        let ends = UnsafeMutablePointer<Int>.allocate(capacity: rows)
        var block = UnsafeMutableRawBufferPointer.allocate(byteCount: blockBytes, alignment: 16)
        defer {
            starts.deallocate()
            ends.deallocate()
            block.deallocate()
        }
        var first = 0
        while first < rows {
            var last = first
            var bytes = 0
            while last < rows {
                var size = fixed
                for text in texts { size += text.length(last) }
                if last > first, bytes + size > blockBytes { break }
                starts[last] = bytes
                ends[last] = bytes
                bytes += size
                last += 1
            }
            if bytes > block.count {
                block.deallocate()
                block = .allocate(byteCount: bytes, alignment: 16)
            }
            guard let base = block.baseAddress else { return }
            for column in columns { column.write(first..<last, to: base, at: ends) }
            for row in first..<last {
                body(row, UnsafeRawBufferPointer(start: base + starts[row], count: ends[row] - starts[row]))
            }
            first = last
        }
    }
}

/// The cells of one flat vector, with how their type is written.
struct CellColumn {
    fileprivate enum Form {
        case flag, int8, int16, int32, int64, float, double, decimal16, decimal32, decimal64, decimal128, text
    }

    private let form: Form
    private let data: UnsafeRawPointer
    private let validity: UnsafePointer<UInt64>?

    /// - Returns: `nil` for a type without a canonical form.
    init?(_ vector: duckdb_vector?) {
        var type = duckdb_vector_get_column_type(vector)
        defer { duckdb_destroy_logical_type(&type) }
        guard let form = Form(type), let data = duckdb_vector_get_data(vector) else { return nil }
        self.form = form
        self.data = UnsafeRawPointer(data)
        validity = UnsafePointer(duckdb_vector_get_validity(vector))
    }

    var isText: Bool { form == .text }

    /// Bytes that a cell takes at most, a text's own left out.
    var largestFixedSize: Int {
        switch form {
        case .flag: 2
        case .decimal16, .decimal32, .decimal64, .decimal128: 17
        default: 9
        }
    }

    /// Number of bytes of a text; 0 for NULL.
    @inline(__always)
    func length(_ row: Int) -> Int {
        isNull(row) ? 0 : Int(data.load(fromByteOffset: row &* 16, as: UInt32.self))
    }

    /// Writes the cells of some rows, each to where its row ends so far, and moves that.
    func write(_ rows: Range<Int>, to base: UnsafeMutableRawPointer, at ends: UnsafeMutablePointer<Int>) {
        switch form {
        case .flag: write(rows, base, ends) { ($0 as UInt8) == 0 ? 0 : 1 as UInt8 }
        case .int8: write(rows, base, ends) { Int64($0 as Int8).littleEndian }
        case .int16: write(rows, base, ends) { Int64($0 as Int16).littleEndian }
        case .int32: write(rows, base, ends) { Int64($0 as Int32).littleEndian }
        case .int64: write(rows, base, ends) { ($0 as Int64).littleEndian }
        case .float: write(rows, base, ends) { Self.bits(Double($0 as Float)) }
        case .double: write(rows, base, ends) { Self.bits($0 as Double) }
        case .decimal16: write(rows, base, ends) { Int128($0 as Int16).littleEndian }
        case .decimal32: write(rows, base, ends) { Int128($0 as Int32).littleEndian }
        case .decimal64: write(rows, base, ends) { Int128($0 as Int64).littleEndian }
        case .decimal128: write(rows, base, ends) { ($0 as Int128).littleEndian }
        case .text: writeTexts(rows, base, ends)
        }
    }

    @inline(__always)
    private func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity[row &>> 6] &>> UInt64(row & 63) & 1 == 0
    }

    /// The bits of a double in the order of their bytes: SQL tells neither zeros nor NaNs apart.
    @inline(__always)
    private static func bits(_ value: Double) -> UInt64 {
        (value.isNaN ? 0x7FF8_0000_0000_0000 : value == 0 ? 0 : value.bitPattern).littleEndian
    }

    @inline(__always)
    private func write<Stored: BitwiseCopyable, Canonical: BitwiseCopyable>(
        _ rows: Range<Int>, _ base: UnsafeMutableRawPointer, _ ends: UnsafeMutablePointer<Int>,
        _ canonical: (Stored) -> Canonical
    ) {
        for row in rows {
            let place = base + ends[row]
            if isNull(row) {
                place.storeBytes(of: 0, as: UInt8.self)
                ends[row] &+= 1
            } else {
                let value = data.loadUnaligned(fromByteOffset: row &* MemoryLayout<Stored>.size, as: Stored.self)
                place.storeBytes(of: 1, as: UInt8.self)
                (place + 1).storeBytes(of: canonical(value), as: Canonical.self)
                ends[row] &+= 1 &+ MemoryLayout<Canonical>.size
            }
        }
    }

    /// A text of up to 12 bytes lies in its cell of 16 bytes, behind the length; of a longer one its address does.
    private func writeTexts(
        _ rows: Range<Int>, _ base: UnsafeMutableRawPointer, _ ends: UnsafeMutablePointer<Int>
    ) {
        for row in rows {
            let place = base + ends[row]
            if isNull(row) {
                place.storeBytes(of: 0, as: UInt8.self)
                ends[row] &+= 1
                continue
            }
            let cell = data + row &* 16
            let length = Int(cell.load(as: UInt32.self))
            place.storeBytes(of: 1, as: UInt8.self)
            (place + 1).storeBytes(of: UInt64(length).littleEndian, as: UInt64.self)
            let text = length <= 12 ? cell + 4 : (cell + 8).load(as: UnsafeRawPointer.self)
            (place + 9).copyMemory(from: text, byteCount: length)
            ends[row] &+= 9 &+ length
        }
    }
}

extension CellColumn.Form {
    fileprivate init?(_ type: duckdb_logical_type?) {
        switch duckdb_get_type_id(type) {
        case DUCKDB_TYPE_BOOLEAN: self = .flag
        case DUCKDB_TYPE_TINYINT: self = .int8
        case DUCKDB_TYPE_SMALLINT: self = .int16
        case DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_DATE: self = .int32
        case DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_TIMESTAMP_TZ: self = .int64
        case DUCKDB_TYPE_FLOAT: self = .float
        case DUCKDB_TYPE_DOUBLE: self = .double
        case DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_BLOB: self = .text
        case DUCKDB_TYPE_DECIMAL:
            switch duckdb_decimal_internal_type(type) {
            case DUCKDB_TYPE_SMALLINT: self = .decimal16
            case DUCKDB_TYPE_INTEGER: self = .decimal32
            case DUCKDB_TYPE_BIGINT: self = .decimal64
            case DUCKDB_TYPE_HUGEINT: self = .decimal128
            default: return nil
            }
        default: return nil
        }
    }
}
