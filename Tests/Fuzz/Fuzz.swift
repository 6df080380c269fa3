// What libFuzzer calls (scripts/torture --only fuzz; docs/torture.md). Built by scripts/torture.d/fuzz.py with
// coverage and AddressSanitizer, never by the package. A broken property ends the process, which is a find.

import Foundation

/// What MARTLET_FUZZ_SURFACE names.
enum Surface: String {
    case json, csv, oip, models, segments
}

private let surface = ProcessInfo.processInfo.environment["MARTLET_FUZZ_SURFACE"].flatMap { Surface(rawValue: $0) }
/// A crash on purpose, deep behind what a reader accepts: `scripts/torture --self-test` must find it.
private let isPlanted = ProcessInfo.processInfo.environment["MARTLET_FUZZ_PLANT"] != nil

/// Ends the process unless the property holds.
func demand(_ holds: Bool, _ property: @autoclosure () -> String) {
    if holds { return }
    FileHandle.standardError.write(Data("BROKEN: \(property())\n".utf8))
    abort()
}

/// - Parameter depth: how far the planted crash has been approached, from 0 to 3.
@_optimize(none)
func plant(_ depth: Int) {
    guard isPlanted else { return }
    // A branch for each step, so that coverage tells the fuzzer that it comes closer.
    if depth > 0 { if depth > 1 { if depth > 2 { demand(false, "the planted crash") } } }
}

/// Steps towards the planted crash by the size of a number.
func plant(size: Double) { plant(size > 1e5 ? 3 : size > 1e4 ? 2 : size > 1e3 ? 1 : 0) }

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let body = UnsafeRawBufferPointer(start: start, count: count)
    switch surface {
    case .json: JSONSurface.run(body)
    case .csv: CSVSurface.run(body)
    case .oip: TensorSurface.run(body)
    case .models: ModelSurface.run(body)
    case .segments: SegmentSurface.run(body)
    case nil: demand(false, "MARTLET_FUZZ_SURFACE names a surface")
    }
    return 0
}
