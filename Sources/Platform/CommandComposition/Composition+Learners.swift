package import Training
internal import TrainingLightGBM
internal import TrainingXGBoost

extension Composition {
    /// The learners that projects may name.
    package static let learners = LearnerCatalogue([
        LightGBMLearner.descriptor, XGBoostLearner.descriptor,
        RandomForestLearner.descriptor(readBy: LightGBMLearner.descriptor),
    ])
}
