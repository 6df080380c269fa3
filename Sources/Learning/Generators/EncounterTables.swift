/// Values, frequencies and effects for synthetic encounters.
///
/// The shares are rounded from the real file's marginals; the effects are invented, of the size seen there.
enum EncounterTables {
    static let leading = [
        "encounter_id", "patient_nbr", "race", "gender", "age", "weight", "admission_type_id",
        "discharge_disposition_id", "admission_source_id", "time_in_hospital", "payer_code", "medical_specialty",
        "num_lab_procedures", "num_procedures", "num_medications", "number_outpatient", "number_emergency",
        "number_inpatient", "diag_1", "diag_2", "diag_3", "number_diagnoses", "max_glu_serum", "A1Cresult",
    ]

    static let race = Choice([
        Level("Caucasian", 748), Level("AfricanAmerican", 189), Level("?", 22, -0.2), Level("Hispanic", 20),
        Level("Other", 15), Level("Asian", 6),
    ])
    static let gender = Choice([Level("Female", 538), Level("Male", 462)])
    static let age = Choice([
        Level("[0-10)", 2, -0.8), Level("[10-20)", 7, -0.5), Level("[20-30)", 16), Level("[30-40)", 37),
        Level("[40-50)", 95, -0.1), Level("[50-60)", 170, -0.15), Level("[60-70)", 221),
        Level("[70-80)", 256, 0.1), Level("[80-90)", 169, 0.15), Level("[90-100)", 27, 0.1),
    ])
    static let weight = Choice([
        Level("?", 9686), Level("[75-100)", 131), Level("[50-75)", 88), Level("[100-125)", 61),
        Level("[125-150)", 14), Level("[25-50)", 10), Level("[0-25)", 5), Level("[150-175)", 3),
        Level("[175-200)", 1), Level(">200", 1),
    ])
    static let admissionType = Choice([
        Level("1", 531), Level("3", 185, -0.05), Level("2", 182), Level("6", 52), Level("5", 47), Level("8", 3),
    ])
    static let admissionSource = Choice([
        Level("7", 565), Level("1", 291), Level("17", 67), Level("4", 31, -0.15), Level("6", 22),
        Level("2", 11), Level("5", 8, 0.2), Level("3", 2), Level("20", 2), Level("9", 1),
    ])
    /// Death and hospice (11, 13, 14, 19, 20, 21) are decided apart, before this choice.
    static let disposition = Choice([
        Level("1", 607, -0.2), Level("3", 141, 0.3), Level("6", 130, 0.1), Level("18", 37, 0.1),
        Level("2", 21, 0.4), Level("22", 20, 1.1), Level("5", 12, 0.7), Level("25", 10, -0.15),
        Level("4", 8, 0.1), Level("7", 6, 0.3), Level("23", 4, -0.4), Level("28", 2, 1.3), Level("8", 1),
        Level("15", 1, 1.5),
    ])
    static let ending = Choice([
        Level("11", 1642), Level("13", 399), Level("14", 372), Level("19", 8), Level("20", 2),
    ])
    static let payer = Choice([
        Level("MC", 527), Level("HM", 102), Level("SP", 81), Level("BC", 76, -0.2), Level("MD", 57), Level("CP", 41),
        Level("UN", 40, -0.2), Level("CM", 31), Level("OG", 17), Level("PO", 10), Level("DM", 9), Level("CH", 2),
        Level("WC", 2), Level("OT", 1), Level("MP", 1), Level("SI", 1),
    ])
    static let specialty = Choice([
        Level("?", 491), Level("InternalMedicine", 144), Level("Emergency/Trauma", 74, 0.05),
        Level("Family/GeneralPractice", 73, 0.05), Level("Cardiology", 53, -0.25), Level("Surgery-General", 31),
        Level("Nephrology", 16, 0.3), Level("Orthopedics", 14), Level("Orthopedics-Reconstructive", 12, -0.25),
        Level("Radiologist", 11), Level("Pulmonology", 9), Level("Psychiatry", 8), Level("Urology", 7),
        Level("ObstetricsandGynecology", 7, -0.9), Level("Surgery-Cardiovascular/Thoracic", 6, -0.4),
        Level("Gastroenterology", 6), Level("Surgery-Vascular", 5, 0.2), Level("Surgery-Neuro", 5),
        Level("PhysicalMedicineandRehabilitation", 4, 0.4), Level("Oncology", 3, 0.5), Level("Pediatrics", 3),
        Level("Hematology/Oncology", 2, 0.5), Level("Neurology", 2), Level("Podiatry", 1),
    ])

    /// Diagnoses (ICD-9) with their share as main diagnosis and their effect.
    static let mainDiagnosis = Choice([
        Level("428", 67, 0.35), Level("414", 65, -0.15), Level("786", 40, -0.5), Level("410", 36),
        Level("486", 35, -0.1), Level("427", 27, -0.15), Level("491", 22, 0.15), Level("715", 21, -0.35),
        Level("682", 20), Level("434", 20, 0.25), Level("780", 20, -0.3), Level("996", 19, 0.35),
        Level("276", 19, 0.1), Level("38", 17, 0.05), Level("250.8", 17, 0.15), Level("599", 16),
        Level("584", 15, 0.2), Level("V57", 12, 0.8), Level("250.6", 12, 0.3), Level("518", 11, 0.1),
        Level("820", 11, 0.35), Level("577", 10, 0.2), Level("493", 10, -0.25), Level("435", 10, -0.35),
        Level("562", 10), Level("574", 9, -0.15), Level("296", 9, 0.1), Level("560", 9), Level("250.7", 9, 0.35),
        Level("250.13", 8), Level("440", 8, 0.2), Level("403", 8, 0.45), Level("197", 8, 0.7),
        Level("722", 7, -0.5), Level("530", 7, -0.2), Level("285", 7, 0.1), Level("453", 6), Level("578", 6),
        Level("458", 6), Level("8", 6), Level("733", 5), Level("724", 5, -0.3), Level("789", 5), Level("585", 5, 0.5),
        Level("507", 5, 0.1), Level("571", 5, 0.6), Level("E878", 1), Level("650", 5, -0.6),
    ])
    static let furtherDiagnosis = Choice([
        Level("250", 90, -0.1), Level("276", 60, 0.05), Level("401", 60, -0.15), Level("428", 55, 0.15),
        Level("427", 45), Level("414", 32, -0.05), Level("496", 29, 0.1), Level("599", 26), Level("403", 26, 0.3),
        Level("585", 19, 0.3), Level("707", 17, 0.25), Level("250.02", 17), Level("780", 14), Level("285", 14, 0.1),
        Level("584", 13, 0.1), Level("425", 13, 0.1), Level("272", 13, -0.2), Level("411", 13), Level("491", 12),
        Level("250.01", 12, 0.1), Level("682", 11), Level("424", 10), Level("V45", 10, 0.2), Level("250.6", 10, 0.15),
        Level("486", 10), Level("518", 10, 0.1), Level("305", 8), Level("413", 8), Level("41", 6), Level("493", 6),
        Level("278", 6, -0.1), Level("530", 6), Level("?", 6), Level("197", 5, 0.5), Level("998", 5, 0.2),
        Level("V15", 4), Level("E849", 3),
    ])

    static let glucose = Choice([
        Level("None", 9475), Level("Norm", 255), Level(">200", 146, 0.1), Level(">300", 124, 0.1),
    ])
    static let hemoglobinA1c = Choice([
        Level("None", 8328), Level(">8", 807, -0.15), Level("Norm", 490, -0.15), Level(">7", 375, -0.15),
    ])

    static let drugStates = ["No", "Steady", "Up", "Down"]

    /// Each drug with the rows in 100,000 that have it steady, up and down, and what having it adds.
    static let drugs: [(name: String, steady: Int, up: Int, down: Int, effect: Double)] = [
        ("metformin", 18_030, 1_050, 570, -0.15), ("repaglinide", 1_360, 110, 45, 0.1), ("nateglinide", 660, 24, 11, 0),
        ("chlorpropamide", 80, 6, 1, 0), ("glimepiride", 4_590, 320, 190, -0.05), ("acetohexamide", 1, 0, 0, 0),
        ("glipizide", 11_160, 760, 550, 0), ("glyburide", 9_110, 800, 550, 0), ("tolbutamide", 23, 0, 0, 0),
        ("pioglitazone", 6_850, 230, 120, 0), ("rosiglitazone", 5_990, 175, 85, 0), ("acarbose", 290, 10, 3, 0),
        ("miglitol", 30, 2, 5, 0), ("troglitazone", 3, 0, 0, 0), ("tolazamide", 37, 1, 0, 0), ("examide", 0, 0, 0, 0),
        ("citoglipton", 0, 0, 0, 0), ("insulin", 30_310, 11_120, 12_010, 0.15), ("glyburide-metformin", 680, 8, 6, 0),
        ("glipizide-metformin", 13, 0, 0, 0), ("glimepiride-pioglitazone", 1, 0, 0, 0),
        ("metformin-rosiglitazone", 2, 0, 0, 0), ("metformin-pioglitazone", 1, 0, 0, 0),
    ]

    static let stay = Quantiles([
        (0, 1), (0.14, 1.5), (0.31, 2.5), (0.48, 3.5), (0.62, 4.5), (0.72, 5.5), (0.79, 6.5), (0.85, 7.5),
        (0.89, 8.5), (0.95, 11), (1, 14.4),
    ])
    static let labProcedures = Quantiles([
        (0, 1), (0.03, 1), (0.1, 14), (0.2, 27), (0.4, 40), (0.5, 44), (0.7, 54), (0.9, 67), (0.99, 85), (1, 126),
    ])
    static let medications = Quantiles([
        (0, 1), (0.01, 3), (0.1, 7), (0.3, 11), (0.5, 15), (0.7, 19), (0.9, 26), (0.98, 37), (0.999, 60), (1, 78),
    ])
    static let procedures = Quantiles([
        (0, 0), (0.46, 0.49), (0.66, 1.5), (0.79, 2.5), (0.88, 3.5), (0.92, 4.5), (0.95, 5.5), (1, 6),
    ])
    static let diagnoses = Quantiles([
        (0, 1), (0.05, 4), (0.16, 5), (0.26, 6.2), (0.37, 7.2), (0.47, 8.2), (0.52, 9), (0.9985, 9), (1, 16),
    ])
    static let outpatient = Quantiles([
        (0, 0), (0.835, 0.49), (0.92, 1.5), (0.955, 2.5), (0.99, 5), (0.999, 14), (1, 40),
    ])
    static let emergency = Quantiles([(0, 0), (0.888, 0.49), (0.963, 1.5), (0.984, 2.5), (0.999, 8), (1, 30)])
    static let inpatient = Quantiles([(0, 0), (0.74, 0.49), (0.9, 1.5), (0.96, 2.5), (0.99, 5), (0.999, 9), (1, 18)])

    /// Encounter ids between an encounter and the next of the same patient, when that one is within 30 days.
    static let soon = Quantiles([
        (0, 84), (0.05, 352_000), (0.1, 509_000), (0.25, 964_000), (0.5, 1_810_000), (0.75, 3_670_000),
        (0.9, 9_000_000), (1, 30_000_000),
    ])
    /// The same when it is later.
    static let later = Quantiles([
        (0, 30_000), (0.05, 3_480_000), (0.1, 4_690_000), (0.25, 8_710_000), (0.5, 20_080_000), (0.75, 48_430_000),
        (0.9, 98_980_000), (0.95, 141_450_000), (1, 300_000_000),
    ])
}
