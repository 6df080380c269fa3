internal import Core

/// The payload of a prediction, version 2; ``PredictionField`` says where each field stands:
///
/// ```
///  0  u8   kind                     16  f64  number of the outcome
///  1  u8   flags                    24  u64  latency in nanoseconds
///  2  u16  number of the source     32  u16  features     34  u16  bytes of the request id
///  4  u8   form of the outcome      36  u16  bytes of the idempotency key, 38 of the entity id
///  5  u8   its details              40  the features, f64 each
///  6  u16  warnings                     the three texts
///  8  i64  time in microseconds         each warning: u16 bytes and the text; zeros up to a multiple of eight
/// ```
///
/// Version 1, which is only read, has a u32 count of warnings at 4 and the decision in the flags.
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
        guard max(request, key, entity, features, record.warnings.count) <= 0xFFFF else { return nil }
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
    /// Of version 1 only.
    static let decided = RecordFlags(rawValue: 4)
    /// Of version 1 only.
    static let positive = RecordFlags(rawValue: 8)
    static let reasons = RecordFlags(rawValue: 16)
    static let shadow = RecordFlags(rawValue: 32)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ record: borrowing PredictionRecord) {
        self = []
        if record.idempotencyKey != nil { insert(.key) }
        if record.entityID != nil { insert(.entity) }
        if record.hasReasons { insert(.reasons) }
        if record.role == .shadow { insert(.shadow) }
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
        put(RecordFlags(self).rawValue, PredictionField.role.offset)
        put(source.value, PredictionField.model.offset)
        put(outcome.form, PredictionField.task.offset)
        put(outcome.details, PredictionField.decision.offset)
        put(UInt16(warnings.count), PredictionField.warnings.offset)
        put(time.microseconds, PredictionField.time.offset)
        put(outcome.score.bitPattern, PredictionField.score.offset)
        put(UInt64(max(0, latency)), PredictionField.latency.offset)
        put(UInt16(size.features), 32)
        put(UInt16(size.request), PredictionField.requestID.offset)
        put(UInt16(size.key), PredictionField.idempotencyKey.offset)
        put(UInt16(size.entity), PredictionField.entityID.offset)
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
        func count(_ field: PredictionField) -> Int { Int(get(field.offset, as: UInt16.self)) }
        guard payload.count >= 40, let source = sources[get(PredictionField.model.offset, as: UInt16.self)] else {
            return nil
        }
        let flags = RecordFlags(rawValue: payload[PredictionField.role.offset])
        let isVersion1 = payload[0] == Frame.Kind.predictionV1.rawValue
        let number = Double(bitPattern: get(PredictionField.score.offset, as: UInt64.self))
        let outcome: PredictionOutcome? =
            isVersion1
            ? .binary(probability: number, positive: flags.contains(.decided) ? flags.contains(.positive) : nil)
            : PredictionOutcome(
                form: payload[PredictionField.task.offset], details: payload[PredictionField.decision.offset],
                number: number)
        guard let outcome else { return nil }
        let width = Int(get(32, as: UInt16.self))
        var at = 40
        guard at + 8 * width <= payload.count else { return nil }
        features = (0..<width).map { Double(bitPattern: get(40 + 8 * $0, as: UInt64.self)) }
        at += 8 * width
        func text(_ length: Int) -> String? {
            guard at + length <= payload.count else { return nil }
            defer { at += length }
            return String(decoding: payload[at..<(at + length)], as: UTF8.self)
        }
        guard let request = text(count(.requestID)), let key = text(count(.idempotencyKey)),
            let entity = text(count(.entityID))
        else { return nil }
        var warnings: [String] = []
        for _ in 0..<(isVersion1 ? Int(get(4, as: UInt32.self)) : count(.warnings)) {
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
        time = Timestamp(microseconds: get(PredictionField.time.offset, as: Int64.self))
        self.outcome = outcome
        role = flags.contains(.shadow) ? .shadow : .answering
        latency = Int64(clamping: get(PredictionField.latency.offset, as: UInt64.self))
        hasReasons = flags.contains(.reasons)
        self.warnings = warnings
    }
}
