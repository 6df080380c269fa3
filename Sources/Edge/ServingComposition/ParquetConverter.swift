internal import Composition
internal import Core
internal import HTTPAPI
internal import Storage
internal import Workers

/// Converts Parquet files by running `martlet convert`, one process for each file.
struct ParquetConverter: BatchConverter {
    private let program = Disk.parent(of: SystemPlatform.executable) + "/martlet"

    func fromParquet(_ file: Int32, mostRows: Int) throws -> any BatchConversion {
        Conversion(try start(["convert", "from-parquet", "--most-rows", "\(mostRows)"], file: file))
    }

    func toParquet(columns: [String]) throws -> any BatchConversion {
        Conversion(try start(["convert", "to-parquet", "--", JSON.text(columns)], file: nil))
    }

    private func start(_ arguments: [String], file: Int32?) throws -> PipedProcess {
        return try PipedProcess(
            program, arguments, environment: SystemPlatform.environmentOfChild(SystemPlatform.promptReturn), file: file)
    }

    private final class Conversion: BatchConversion {
        private let process: PipedProcess

        init(_ process: PipedProcess) { self.process = process }

        func write(_ bytes: [UInt8]) -> Bool { process.write(bytes) }

        func endInput() { process.endInput() }

        func read(_ most: Int) throws -> [UInt8] {
            let bytes = process.read(most)
            if !bytes.isEmpty { return bytes }
            let (code, said) = process.end()
            if code == 0 { return [] }
            if let error = JSONValue(parsing: said),
                let kind = error["kind"]?.text.flatMap({ MartletError.Kind(rawValue: $0) }),
                let name = error["code"]?.text, let message = error["message"]?.text
            {
                throw MartletError(kind, name, message, remedy: error["remedy"]?.text)
            }
            let how = code < 0 ? "by signal \(-code)" : "with code \(code)"
            throw MartletError(
                .machine, "batch.converter", "The process that converts Parquet ended \(how).",
                remedy: "Send the batch again, or as CSV.")
        }

        func kill() { process.kill() }
    }
}
