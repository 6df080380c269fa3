internal import Core

extension BinaryEvaluation {
    package var figures: [(name: String, estimate: Estimate)] {
        let counts = [
            ("rows", rows), ("positives", positives), ("true_positives", confusion.truePositives),
            ("false_positives", confusion.falsePositives), ("true_negatives", confusion.trueNegatives),
            ("false_negatives", confusion.falseNegatives),
        ]
        return (costPer1000.map { [("cost_per_1000", $0)] } ?? [])
            + counts.map { ($0, Estimate(Double($1))) } + [("threshold", Estimate(threshold))]
    }

    package var composition: String? { "\(grouped(positives)) positive, base rate \(percent(baseRate))" }

    package var cardRows: [(name: String, estimate: Estimate)] {
        costPer1000.map { [("cost per 1,000 rows", $0)] } ?? []
    }

    package var cardLines: [String] {
        var lines: [String] = []
        if costPer1000 != nil {
            let (none, all) = (number(costPer1000AlertNone), number(costPer1000AlertAll))
            lines += ["", "Alerting nobody would cost \(none), alerting everybody \(all) per 1,000 rows."]
        }
        return lines + [
            "", "| | predicted positive | predicted negative |", "| --- | --- | --- |",
            "| really positive | \(grouped(confusion.truePositives)) | \(grouped(confusion.falseNegatives)) |",
            "| really negative | \(grouped(confusion.falsePositives)) | \(grouped(confusion.trueNegatives)) |",
        ]
    }
}
