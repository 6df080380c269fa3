internal import Serving

/// The file formats of batches and their answers.
enum BatchMedia: String, Sendable, CaseIterable {
    case csv
    case jsonLines
    case parquet

    static let names = "text/csv, application/x-ndjson or application/vnd.apache.parquet"

    var mediaType: String {
        switch self {
        case .csv, .jsonLines: form.mediaType
        case .parquet: "application/vnd.apache.parquet"
        }
    }

    /// What the server itself reads and writes: Parquet is CSV before it comes in and until it goes out.
    var form: BatchForm { self == .jsonLines ? .jsonLines : .csv }

    /// The form of a media type, parameters left out.
    init?(mediaType: some StringProtocol) {
        switch BatchForm(mediaType: mediaType) {
        case .csv: self = .csv
        case .jsonLines: self = .jsonLines
        case nil:
            let name = mediaType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
            guard ["application/vnd.apache.parquet", "application/parquet", "application/x-parquet"].contains(name)
            else {
                return nil
            }
            self = .parquet
        }
    }
}
