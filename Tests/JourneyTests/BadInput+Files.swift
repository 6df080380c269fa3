import TestSupport

extension BadInput {
    private static func rows(_ make: (Int) -> String) -> [UInt8] {
        Array(Wards.csv((5001..<5041).map(make)).utf8)
    }

    private static let time = "2026-03-01T08:00:00"

    static let files: [BadInput] = [
        BadInput("a file that is not there", ["ingest", "nowhere.csv"], "file.missing", "nowhere.csv"),
        BadInput("a folder in place of a file", ["ingest", "landing"], "file.missing", "landing", "folder"),
        landed(
            "ragged rows", "ingest.refused", "break the contract", "20 %",
            bytes: rows { "\($0),\(time),north,80.5,1,plain" + ($0 % 2 == 0 ? "" : ",yes") }),
        landed(
            "wrong types", "ingest.refused", "weight", "heavy", "row 1",
            bytes: rows { "\($0),\(time),north,heavy,1,plain,yes" }),
        landed(
            "latin-1 bytes in a UTF-8 source", "ingest.refused", "utf-8",
            bytes: Array(Wards.csv(["5001,\(time),north,80.5,1,caf"]).utf8.dropLast()) + [0xE9] + Array(",yes\n".utf8)),
        landed(
            "another encoding altogether", "ingest.refused",
            bytes: [0xFF, 0xFE] + Wards.first.utf8.prefix(4000).flatMap { [$0, 0] }),
        landed(
            "a header that names a column twice", "ingest.refused", "twice", "ward",
            bytes: Array(
                "visit_id,seen_at,ward,ward,weight(kg),readings,note,outcome\n5001,\(time),north,north,80,1,p,yes\n"
                    .utf8)),
        landed("an empty file", "ingest.refused", "empty", bytes: []),
        landed("a file of line breaks", "ingest.refused", bytes: Array("\n\n\n".utf8)),
        landed("a header and no rows", "ingest.refused", "no rows", bytes: Array((Wards.header + "\n").utf8)),
        landed(
            "a missing column", "ingest.refused", "ward", "lacks the column",
            bytes: Array("visit_id,seen_at,weight(kg),readings,note,outcome\n5001,\(time),80,1,p,yes\n".utf8)),
        landed(
            "another unit in the header", "ingest.refused", "weight(g)", "weight(kg)", "in kg",
            bytes: Array(Wards.csv(Wards.rows(5001..<5041), header: Wards.header.replacing("(kg)", with: "(g)")).utf8)),
        landed(
            "another unit under the same header", "ingest.refused", "weight", "another unit",
            bytes: rows { "\($0),\(time),north,\(70_000 + $0),1,plain,yes" }),
        landed(
            "bytes that are no table", "ingest.refused",
            bytes: (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 13) }),
        landed(
            "a quote that never closes", "ingest.refused",
            bytes: Array(
                Wards.csv(["5001,\(time),north,80.5,1,\"plain,yes", "5002,\(time),north,80.5,1,plain,yes"]).utf8)),
        landed(
            "keys that are all there already", "ingest.refused", "visit_id",
            bytes: Array(Wards.csv(Wards.rows(1..<41).map { $0.replacing("2026", with: "2025") }).utf8)),
        landed(
            "null keys", "ingest.refused", "visit_id", "not null",
            bytes: rows { _ in ",\(time),north,80.5,1,plain,yes" }),
        BadInput("Parquet that ends too early", ["ingest"], "ingest.refused", "more.parquet") { place in
            try place.edit("martlet.yaml", "  visits:\n", "  more: {format: parquet}\n  visits:\n")
            try place.write("contracts/more.yaml", "columns:\n  visit_id: {type: bigint}\n")
            let table = place.files(".martlet/lake/bronze/visits", ending: ".parquet")[0]
            try place.write("landing/more/more.parquet", bytes: Array(try place.bytes(table).dropLast(100)))
        },
        BadInput(
            "a file that fits none of two sources", ["ingest", "odd.csv"], exit: 64, "ingest.which-source", "odd.csv",
            "--source"
        ) {
            try $0.edit("martlet.yaml", "  visits:\n", "  more: {format: csv}\n  visits:\n")
            try $0.write("contracts/more.yaml", "columns:\n  other_id: {type: bigint}\n")
            try $0.write("odd.csv", "a,b\n1,2\n")
        },
        BadInput(
            "a source that is none", ["ingest", "landing/visits/first.csv", "--source", "visit"], "ingest.no-source",
            "Did you mean visits?"),
    ]
}
