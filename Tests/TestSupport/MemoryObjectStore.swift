internal import Core
package import Storage
internal import Synchronization

/// Objects in memory, for tests of what must not depend on a local disk.
package final class MemoryObjectStore: ObjectStore {
    private struct State {
        var objects: [String: (bytes: [UInt8], serial: Int)] = [:]
        var serial = 0

        mutating func put(_ name: String, _ bytes: [UInt8]) {
            serial += 1
            objects[name] = (bytes, serial)
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func create(_ name: String, _ bytes: [UInt8], mayWithdraw: () -> Bool) throws -> Bool {
        state.withLock { state in
            guard state.objects[name] == nil else { return false }
            state.put(name, bytes)
            return true
        }
    }

    package func replace(_ name: String, _ bytes: [UInt8]) throws { state.withLock { $0.put(name, bytes) } }

    package func publish(_ file: String, as name: String) throws -> Bool { try create(name, try Disk.read(file)) }

    package func read(_ name: String, _ range: Range<Int64>?) throws -> [UInt8] {
        guard let bytes = state.withLock({ $0.objects[name]?.bytes }) else {
            throw MartletError(.missing, "disk.missing", "There is no object \(name).")
        }
        guard let range else { return bytes }
        let part = range.clamped(to: 0..<Int64(bytes.count))
        return Array(bytes[Int(part.lowerBound)..<Int(part.upperBound)])
    }

    package func list(_ prefix: String) throws -> [String] {
        let names = state.withLock { Array($0.objects.keys) }.filter { $0.utf8.starts(with: prefix.utf8) }
        let depth = prefix.split(separator: "/", omittingEmptySubsequences: false).count
        let cut = names.map { $0.split(separator: "/").prefix(depth).joined(separator: "/") }
        return Set(cut).sorted { $0.precedes(inBytes: $1) }
    }

    package func delete(_ name: String) throws { state.withLock { $0.objects[name] = nil } }

    package func stamp(_ name: String) throws -> ObjectStamp? {
        state.withLock { state in
            state.objects[name].map {
                ObjectStamp(size: Int64($0.bytes.count), modified: Int64($0.serial), tag: "\($0.serial)")
            }
        }
    }

    package func localPath(_ name: String) -> String? { nil }
}
