import CMallocs
import Forests
import Foundation

/// CPU seconds of this thread: the machine may be shared.
func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Times both sides in turns and prints one JSON line: medians in microseconds a row, calls of malloc for 1,000 rows.
func time(_ format: String, _ modelPath: String, _ rowsPath: String, _ libraryPath: String, rounds: Int) throws {
    let model = bytes(modelPath)
    let started = seconds()
    let ours = try forest(format, model)
    let loading = seconds() - started
    let values = doubles(rowsPath)
    let width = ours.featureCount
    let count = values.count / width
    guard let library = dlopen(libraryPath, RTLD_NOW) else {
        throw PeerFailure(description: "cannot load \(libraryPath)")
    }
    let rows = UnsafeMutableBufferPointer<Double>.allocate(capacity: values.count)
    _ = rows.initialize(from: values)
    guard let base = UnsafePointer(rows.baseAddress) else { return }
    let peer: any Peer =
        format == "lightgbm"
        ? try LightGBMPeer(library: library, model: model, rows: base, count: count, width: width)
        : try XGBoostPeer(library: library, model: model, rows: base, count: count, width: width)
    let out = UnsafeMutableBufferPointer<Double>.allocate(capacity: count)
    out.initialize(repeating: 0)
    let singles = min(count, format == "lightgbm" ? 2_000 : 300)
    var sums = (ours: 0.0, peer: 0.0)

    func ourSingles() {
        for row in 0..<singles {
            sums.ours += ours.score(of: UnsafeBufferPointer(start: base + row * width, count: width))
        }
    }
    func measured(_ count: Int, _ body: () -> Void) -> Double {
        let start = seconds()
        body()
        return (seconds() - start) / Double(count) * 1e6
    }
    ourSingles()
    let unproven = mallocs()
    UnsafeMutablePointer<Double>.allocate(capacity: 1_000).deallocate()
    guard mallocs() == unproven + 1 || mallocs_counted == 0 else {
        throw PeerFailure(description: "calls of malloc are not counted")
    }
    let before = mallocs()
    for row in 0..<1_000 {
        sums.ours += ours.score(of: UnsafeBufferPointer(start: base + row % count * width, count: width))
    }
    let taken = mallocs() - before
    var table: [[Double]] = []
    for _ in 0..<rounds {
        table.append([
            measured(singles, ourSingles),
            measured(singles) { for row in 0..<singles { sums.peer += peer.score(base + row * width) } },
            measured(count) { ours.score(rows: UnsafeBufferPointer(rows), count: count, into: out) },
            measured(count) { peer.batch(count) },
        ])
    }
    func median(_ place: Int) -> Double { table.map { $0[place] }.sorted()[rounds / 2] }
    print(
        "{\"single\": \(median(0)), \"peer_single\": \(median(1)), \"batch\": \(median(2)), "
            + "\"peer_batch\": \(median(3)), \"mallocs\": \(taken), \"loading_s\": \(loading), "
            + "\"check\": \(sums.ours + out[0] - sums.peer)}")
}
