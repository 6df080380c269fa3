import Core
import Forests
import Testing

#if os(Linux)
    import Foundation

    /// Files that ask for more than they hold.
    struct GreedyModelTests {
        private static func addressed() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") })
            return try #require(Int(line.split { $0 == " " || $0 == "\t" }[1]))
        }

        @Test("Lists in lists do not each set aside room for the rest of the file")
        func nestedLists() throws {
            var bytes: [UInt8] = []
            // Each list says that it has four million items, and its first one is the next such list.
            for _ in 0..<250 { bytes += Array("[#l".utf8) + [0, 0x40, 0, 0] }
            bytes += [UInt8](repeating: UInt8(ascii: "?"), count: 8 << 20)
            let before = try Self.addressed()
            #expect(throws: MartletError.self) { try CompactForest(xgboostUBJ: bytes) }
            // In kilobytes.
            #expect(try Self.addressed() - before < 8 << 20)
        }
    }
#endif
