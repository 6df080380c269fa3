import Serving
import Testing

struct TrimPlanTests {
    /// A process that has so much in use at each second of an hour, and that stays as large as it was until free memory is
    /// given back; gives the seconds at which that is done, and the size at each look.
    private func hour(_ used: (Double) -> Int) -> (trims: [Double], sizes: [Double: Int]) {
        var plan = TrimPlan()
        var size = 0, trims: [Double] = [], sizes: [Double: Int] = [:]
        for second in stride(from: 0.0, through: 3600, by: 2) {
            size = max(size, used(second))
            if plan.isWorth(size, at: second) {
                trims.append(second)
                plan.trimmed(from: size, to: used(second), at: second)
                size = used(second)
            }
            sizes[second] = size
        }
        return (trims, sizes)
    }

    @Test func `nothing is given back while the process is near its smallest`() {
        #expect(hour { second in second < 100 ? 92 : 100 }.trims == [])
    }

    @Test func `what a large request used is given back after it`() {
        let (trims, sizes) = hour { second in (10..<20).contains(second) ? 200 : 60 }
        #expect(trims.count <= 4 && sizes[18] == 200 && sizes[40] == 60, "\(trims)")
    }

    @Test func `trims that do not help become rare, and one that does makes them frequent again`() {
        // In use for most of the hour; then small requests come and go.
        let trims = hour { second in second == 0 ? 50 : second < 3000 ? 100 : Int(second) % 6 == 0 ? 100 : 50 }.trims
        let rare = trims.filter { $0 < 3000 }, frequent = trims.filter { $0 > 3300 }
        #expect((90...110).contains(rare.count), "\(rare)")
        #expect(frequent.count > 40, "\(frequent)")
    }
}
