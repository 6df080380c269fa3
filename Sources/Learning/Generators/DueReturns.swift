/// Priority queue of patients who will return, by the encounter id of their return; bounded size.
struct DueReturns {
    private var entries: [(due: Int, patient: Patient)] = []
    private let limit: Int

    /// - Parameter limit: the most patients remembered; further ones are lost to follow-up.
    init(limit: Int) { self.limit = limit }

    mutating func insert(_ patient: Patient, dueAt due: Int) {
        guard entries.count < limit else { return }
        entries.append((due, patient))
        var child = entries.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The patient who is due first, if that is at `id` or earlier.
    mutating func popFirst(dueBy id: Int) -> Patient? {
        guard let first = entries.first, first.due <= id else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && isBefore(child, least) {
                least = child
            }
            if least == parent { return first.patient }
            entries.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (entries[a].due, entries[a].patient.number) < (entries[b].due, entries[b].patient.number)
    }
}
