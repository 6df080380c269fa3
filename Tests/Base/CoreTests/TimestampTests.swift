import Core
import Testing

@Suite struct `Moments in time` {
    // Microseconds by Python's datetime.
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"), (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
            (-2_203_891_200_000_000, "1900-03-01T00:00:00.000000Z"),
            (-2_203_891_200_000_001, "1900-02-28T23:59:59.999999Z"),
            (4_107_499_200_000_000, "2100-02-28T12:00:00.000000Z"),
            (1_735_689_599_500_000, "2024-12-31T23:59:59.500000Z"),
            (-11_670_998_399_000_000, "1600-02-29T00:00:01.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func `are written as RFC 3339, over leap years, centuries and before 1970`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test func `sort as their texts do`() {
        let moments = (-50..<50).map { Timestamp(microseconds: Int64($0) * 37_777_777_777_777) }
        #expect(moments.map(\.description).sorted() == moments.sorted().map(\.description))
    }

    @Test func `every day from 1890 to 2110 follows the day before`() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1890, 1, 1)
        for number in -29_219..<51_498 as Range<Int64> {
            let text = Timestamp(microseconds: number * 86_400_000_000).description.prefix(10)
            let parts = text.split(separator: "-").compactMap { Int($0) }
            guard parts == [year, month, day] else {
                Issue.record("day \(number) is \(text), not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func `give a minute for people, and text in JSON`() throws {
        let moment = Timestamp(microseconds: 1_735_689_599_500_000)
        #expect(moment.minute == "2024-12-31 23:59")
        #expect(moment.milliseconds == 1_735_689_599_500)
        #expect(try JSON.text([moment]) == "[\"2024-12-31T23:59:59.500000Z\"]")
    }

    @Test(
        arguments: [
            ("2026-01-31", "2026-01-31T00:00:00.000000Z"), ("2026-01-31 08:15", "2026-01-31T08:15:00.000000Z"),
            ("2026-01-31T08:15:30Z", "2026-01-31T08:15:30.000000Z"),
            ("2026-01-31T08:15:30.25z", "2026-01-31T08:15:30.250000Z"),
            ("2026-01-31T08:15:30.1234567Z", "2026-01-31T08:15:30.123456Z"),
            ("2026-01-31T01:15+02:00", "2026-01-30T23:15:00.000000Z"),
            ("2026-12-31T23:15-0130", "2027-01-01T00:45:00.000000Z"),
            ("2024-02-29", "2024-02-29T00:00:00.000000Z"), ("0001-01-01", "0001-01-01T00:00:00.000000Z"),
        ])
    func `are read as people write them`(text: String, moment: String) {
        #expect(Timestamp(text)?.description == moment)
    }

    @Test(
        arguments: [
            "", "2026", "2026-13-01", "2026-02-29", "2100-02-29", "2026-01-32", "2026-1-31", "26-01-31", "yesterday",
            "2026-01-31T", "2026-01-31T24:00", "2026-01-31T08:60", "2026-01-31T08:15:", "2026-01-31T08:15:00.",
            "2026-01-31T08:15 Z", "2026-01-31T08:15+2", "2026-01-31 08:15Zx", "٢٠٢٦-01-31",
        ])
    func `are not read from what is none`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `are read back as they were written`() {
        for number in -50..<50 as Range<Int64> {
            let moment = Timestamp(microseconds: number * 137_777_777_777_777 + 1)
            #expect(Timestamp(moment.description) == moment)
        }
    }
}

@Suite struct `Moments as people write them` {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"), ("2024-02-29", "2024-02-29T00:00:00.000000Z"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000000Z"), ("2026-01-31 08:05", "2026-01-31T08:05:00.000000Z"),
        ("2026-01-31T08:00:00.5z", "2026-01-31T08:00:00.500000Z"),
        ("2026-01-31T00:30:00+02:00", "2026-01-30T22:30:00.000000Z"),
        ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00.000000Z"),
        ("2026-01-31T08:00:00.123456789Z", "2026-01-31T08:00:00.123456Z"),
    ]) func `are read`(text: String, printed: String) {
        #expect(Timestamp(text)?.description == printed)
        #expect(Timestamp(printed)?.description == printed)
    }

    @Test(arguments: [
        "", "now", "2026", "2026-13-01", "2026-02-29", "2026-00-10", "2026-01-32", "2026-1-1", "2026-01-31T24:00:00Z",
        "2026-01-31T08:60Z", "2026-01-31T08:00:60Z", "2026-01-31T", "2026-01-31T08", "2026-01-31T08:00:00Zx",
        "2026-01-31T08:00:00+2", "2026-01-31T08:00:00.Z", "+2026-01-31", "２０２６-01-31",
    ]) func `that do not exist are refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(arguments: [Int64.min, .min + 1, -1, 0, .max - 1, .max])
    func `every moment that there is can be told`(_ number: Int64) {
        let text = Timestamp(microseconds: number).description
        #expect(text.hasSuffix("Z") && text.contains("T"))
        #expect(Timestamp(microseconds: number).second.isEmpty == false)
        let far = Timestamp(milliseconds: number)
        #expect(number > -2 && number < 2 ? far.microseconds == number * 1000 : far.microseconds.magnitude > 1 << 62)
    }
}
