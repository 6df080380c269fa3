internal import Core

/// The payload of a prediction:
///
/// ```
///  0  u8   kind                     24  u64  latency in nanoseconds
///  1  u8   flags                    32  u16  features     34  u16  bytes of the request id
///  2  u16  number of the source     36  u16  bytes of the idempotency key, 38 of the entity id
///  4  u32  warnings                 40  the features, f64 each
///  8  i64  time in microseconds         the three texts
/// 16  f64  score                        each warning: u16 bytes and the text; zeros up to a multiple of eight
/// ```
struct EncodedSize {
    let features: Int
    let request: Int
    let key: Int
    let entity: Int
    /// Digits of the row's number; 0 for none.
    let rowDigits: Int
    /// Bytes of the frame.
    let total: Int

    /// `nil` when the record cannot be written.
    init?(_ record: borrowing PredictionRecord, features: Int, most: Int) {
        rowDigits = record.row.map { Self.digits(of: $0) } ?? 0
        request = record.requestID.utf8.count + (rowDigits > 0 ? 1 + rowDigits : 0)
        key = record.idempotencyKey?.utf8.count ?? 0
        entity = record.entityID?.utf8.count ?? 0
        self.features = features
        guard max(request, key, entity, features) <= 0xFFFF else { return nil }
        var size = 40 + 8 * features + request + key + entity
        for warning in record.warnings {
            let count = warning.utf8.count
            guard count <= 0xFFFF else { return nil }
            size += 2 + count
        }
        total = Frame.headBytes + (size + 7) & ~7
        guard total <= most else { return nil }
    }

    private static func digits(of row: Int) -> Int {
        var (digits, rest) = (1, max(0, row))
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return digits
    }
}

struct RecordFlags: OptionSet {
    let rawValue: UInt8
    static let key = RecordFlags(rawValue: 1)
    static let entity = RecordFlags(rawValue: 2)
    static let decided = RecordFlags(rawValue: 4)
    static let positive = RecordFlags(rawValue: 8)
    static let reasons = RecordFlags(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ record: borrowing PredictionRecord) {
        self = []
        if record.idempotencyKey != nil { insert(.key) }
        if record.entityID != nil { insert(.entity) }
        if record.decision != nil { insert(.decided) }
        if record.decision == true { insert(.positive) }
        if record.hasReasons { insert(.reasons) }
    }
}

extension PredictionRecord {
    /// Writes the frame, all but its checksum, to `out`, which has room for `size.total` bytes at a multiple of eight.
    func encode(
        to out: UnsafeMutableRawPointer, features: UnsafeBufferPointer<Double>, _ size: EncodedSize
    ) {
        func put(_ value: some FixedWidthInteger & BitwiseCopyable, _ offset: Int) {
            out.storeBytes(of: value.littleEndian, toByteOffset: Frame.headBytes + offset, as: type(of: value))
        }
        // The last word first: what the texts do not fill of it stays zero.
        out.storeBytes(of: 0, toByteOffset: size.total - 8, as: UInt64.self)
        out.storeBytes(of: UInt32(size.total - Frame.headBytes).littleEndian, as: UInt32.self)
        put(Frame.Kind.prediction.rawValue, 0)
        put(RecordFlags(self).rawValue, 1)
        put(source.value, 2)
        put(UInt32(warnings.count), 4)
        put(time.microseconds, 8)
        put(score.bitPattern, 16)
        put(UInt64(max(0, latency)), 24)
        put(UInt16(size.features), 32)
        put(UInt16(size.request), 34)
        put(UInt16(size.key), 36)
        put(UInt16(size.entity), 38)
        var at = Frame.headBytes + 40
        if let base = features.baseAddress, size.features > 0 {
            out.advanced(by: at).copyMemory(from: base, byteCount: 8 * size.features)
            at += 8 * size.features
        }
        func text(_ text: String) {
            var text = text
            at += text.withUTF8 { utf8 in
                if let base = utf8.baseAddress { out.advanced(by: at).copyMemory(from: base, byteCount: utf8.count) }
                return utf8.count
            }
        }
        text(requestID)
        if size.rowDigits > 0, var rest = row.map({ max(0, $0) }) {
            out.storeBytes(of: UInt8(ascii: "."), toByteOffset: at, as: UInt8.self)
            for place in stride(from: at + size.rowDigits, to: at, by: -1) {
                out.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: place, as: UInt8.self)
                rest /= 10
            }
            at += 1 + size.rowDigits
        }
        if let idempotencyKey { text(idempotencyKey) }
        if let entityID { text(entityID) }
        for warning in warnings {
            out.storeBytes(of: UInt16(warning.utf8.count).littleEndian, toByteOffset: at, as: UInt16.self)
            at += 2
            text(warning)
        }
    }
}

extension LoggedPrediction {
    /// Reads the payload of a frame whose checksum is right; `nil` when it is not of this form all the same.
    init?(_ payload: UnsafeRawBufferPointer, sources: [UInt16: PredictionSource]) {
        func get<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
            T(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: type))
        }
        guard payload.count >= 40, let source = sources[get(2, as: UInt16.self)] else { return nil }
        let flags = RecordFlags(rawValue: payload[1])
        let count = Int(get(32, as: UInt16.self))
        var at = 40
        guard at + 8 * count <= payload.count else { return nil }
        features = (0..<count).map { Double(bitPattern: get(40 + 8 * $0, as: UInt64.self)) }
        at += 8 * count
        func text(_ length: Int) -> String? {
            guard at + length <= payload.count else { return nil }
            defer { at += length }
            return String(decoding: payload[at..<(at + length)], as: UTF8.self)
        }
        guard let request = text(Int(get(34, as: UInt16.self))), let key = text(Int(get(36, as: UInt16.self))),
            let entity = text(Int(get(38, as: UInt16.self)))
        else { return nil }
        var warnings: [String] = []
        for _ in 0..<Int(get(4, as: UInt32.self)) {
            guard at + 2 <= payload.count else { return nil }
            let length = Int(get(at, as: UInt16.self))
            at += 2
            guard let warning = text(length) else { return nil }
            warnings.append(warning)
        }
        requestID = request
        idempotencyKey = flags.contains(.key) ? key : nil
        entityID = flags.contains(.entity) ? entity : nil
        self.source = source
        time = Timestamp(microseconds: get(8, as: Int64.self))
        score = Double(bitPattern: get(16, as: UInt64.self))
        decision = flags.contains(.decided) ? flags.contains(.positive) : nil
        latency = Int64(clamping: get(24, as: UInt64.self))
        hasReasons = flags.contains(.reasons)
        self.warnings = warnings
    }
}
