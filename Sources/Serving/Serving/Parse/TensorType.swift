/// Element types of Open Inference Protocol version 2 tensors.
package enum TensorType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "UINT8"
    case uint16 = "UINT16"
    case uint32 = "UINT32"
    case uint64 = "UINT64"
    case int8 = "INT8"
    case int16 = "INT16"
    case int32 = "INT32"
    case int64 = "INT64"
    case fp16 = "FP16"
    case fp32 = "FP32"
    case fp64 = "FP64"
    case bytes = "BYTES"

    /// Bytes of one element in the binary form; `nil` for texts, whose length stands before each.
    var width: Int? {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        case .bytes: nil
        }
    }

    /// One number in the binary form, little endian. A float becomes the double of the same value.
    @inline(__always)
    func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Double {
        func load<T: FixedWidthInteger>(_ type: T.Type) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        return switch self {
        case .bool, .uint8: Double(bytes[offset])
        case .uint16: Double(load(UInt16.self))
        case .uint32: Double(load(UInt32.self))
        case .uint64: Double(load(UInt64.self))
        case .int8: Double(Int8(bitPattern: bytes[offset]))
        case .int16: Double(load(Int16.self))
        case .int32: Double(load(Int32.self))
        case .int64: Double(load(Int64.self))
        case .fp16: Self.half(load(UInt16.self))
        case .fp32: Double(Float(bitPattern: load(UInt32.self)))
        case .fp64: Double(bitPattern: load(UInt64.self))
        case .bytes: .nan
        }
    }

    /// IEEE 754 binary16, which not every machine's Swift has as a type.
    private static func half(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 31)
        let fraction = Double(bits & 1023)
        let sign = bits >> 15 == 1 ? -1.0 : 1.0
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
        }
    }
}
