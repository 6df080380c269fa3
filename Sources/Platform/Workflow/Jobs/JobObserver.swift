package import Registry

/// Follows a job while it is done.
package struct JobObserver {
    /// Called when a step begins. An error that it throws ends the job there.
    package var began: (JobProgress) throws -> Void
    /// Called when a step of the journal has ended.
    package var ended: (Journal.Entry) -> Void

    package init(
        began: @escaping (JobProgress) throws -> Void = { _ in }, ended: @escaping (Journal.Entry) -> Void = { _ in }
    ) {
        self.began = began
        self.ended = ended
    }
}
