-- Hospital encounters, cleaned: one row per encounter that can be followed by a readmission.
--
-- Rule 1. Discharges to death or hospice (discharge_disposition_id 11, 13, 14, 19, 20, 21) are removed: such a
--         patient cannot be readmitted, so the row would only teach the model who died.
-- Rule 2. An age band becomes its midpoint in years: [70-80) is 75.
-- Rule 3. A diagnosis code (ICD-9) becomes its category, the part before the point, and one of nine groups, after
--         Strack et al., "Impact of HbA1c Measurement on Hospital Readmission Rates", BioMed Research
--         International 2014, table 2. A missing code is a group of its own.
-- Rule 4. The 23 drugs are counted; those that more than one encounter in a hundred names keep a column.
--
-- The text None in max_glu_serum and a1c_result means "not measured" and is a value, not a gap.
WITH kept AS (
    SELECT
        *,
        split_part(diag_1, '.', 1) AS code_1,
        split_part(diag_2, '.', 1) AS code_2,
        split_part(diag_3, '.', 1) AS code_3
    FROM bronze.encounters
    WHERE discharge_disposition_id NOT IN (11, 13, 14, 19, 20, 21)
),

numbered AS (
    -- E and V codes have no number: they stay NULL here and are named below.
    SELECT
        *,
        TRY_CAST(code_1 AS INTEGER) AS number_1,
        TRY_CAST(code_2 AS INTEGER) AS number_2,
        TRY_CAST(code_3 AS INTEGER) AS number_3
    FROM kept
)

SELECT
    encounter_id,
    patient_nbr,
    race,
    gender,
    CAST(replace(split_part(age, '-', 1), '[', '') AS INTEGER) + 5 AS age,
    admission_type_id,
    discharge_disposition_id,
    admission_source_id,
    time_in_hospital,
    payer_code,
    medical_specialty,
    num_lab_procedures,
    num_procedures,
    num_medications,
    number_outpatient,
    number_emergency,
    number_inpatient,
    number_diagnoses,
    code_1 AS diag_code_1,
    code_2 AS diag_code_2,
    code_3 AS diag_code_3,
    CASE
        WHEN code_1 IS NULL THEN 'missing'
        WHEN number_1 IS NULL THEN 'external_or_supplementary'
        WHEN number_1 = 250 THEN 'diabetes'
        WHEN number_1 BETWEEN 390 AND 459 OR number_1 = 785 THEN 'circulatory'
        WHEN number_1 BETWEEN 460 AND 519 OR number_1 = 786 THEN 'respiratory'
        WHEN number_1 BETWEEN 520 AND 579 OR number_1 = 787 THEN 'digestive'
        WHEN number_1 BETWEEN 580 AND 629 OR number_1 = 788 THEN 'genitourinary'
        WHEN number_1 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_1 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_1 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_1,
    CASE
        WHEN code_2 IS NULL THEN 'missing'
        WHEN number_2 IS NULL THEN 'external_or_supplementary'
        WHEN number_2 = 250 THEN 'diabetes'
        WHEN number_2 BETWEEN 390 AND 459 OR number_2 = 785 THEN 'circulatory'
        WHEN number_2 BETWEEN 460 AND 519 OR number_2 = 786 THEN 'respiratory'
        WHEN number_2 BETWEEN 520 AND 579 OR number_2 = 787 THEN 'digestive'
        WHEN number_2 BETWEEN 580 AND 629 OR number_2 = 788 THEN 'genitourinary'
        WHEN number_2 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_2 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_2 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_2,
    CASE
        WHEN code_3 IS NULL THEN 'missing'
        WHEN number_3 IS NULL THEN 'external_or_supplementary'
        WHEN number_3 = 250 THEN 'diabetes'
        WHEN number_3 BETWEEN 390 AND 459 OR number_3 = 785 THEN 'circulatory'
        WHEN number_3 BETWEEN 460 AND 519 OR number_3 = 786 THEN 'respiratory'
        WHEN number_3 BETWEEN 520 AND 579 OR number_3 = 787 THEN 'digestive'
        WHEN number_3 BETWEEN 580 AND 629 OR number_3 = 788 THEN 'genitourinary'
        WHEN number_3 BETWEEN 800 AND 999 THEN 'injury'
        WHEN number_3 BETWEEN 710 AND 739 THEN 'musculoskeletal'
        WHEN number_3 BETWEEN 140 AND 239 THEN 'neoplasms'
        ELSE 'other'
    END AS diag_group_3,
    max_glu_serum,
    a1c_result,
    metformin,
    repaglinide,
    glimepiride,
    glipizide,
    glyburide,
    pioglitazone,
    rosiglitazone,
    insulin,
    CAST(metformin <> 'No' AS INTEGER) + CAST(repaglinide <> 'No' AS INTEGER)
    + CAST(nateglinide <> 'No' AS INTEGER) + CAST(chlorpropamide <> 'No' AS INTEGER)
    + CAST(glimepiride <> 'No' AS INTEGER) + CAST(acetohexamide <> 'No' AS INTEGER)
    + CAST(glipizide <> 'No' AS INTEGER) + CAST(glyburide <> 'No' AS INTEGER)
    + CAST(tolbutamide <> 'No' AS INTEGER) + CAST(pioglitazone <> 'No' AS INTEGER)
    + CAST(rosiglitazone <> 'No' AS INTEGER) + CAST(acarbose <> 'No' AS INTEGER)
    + CAST(miglitol <> 'No' AS INTEGER) + CAST(troglitazone <> 'No' AS INTEGER)
    + CAST(tolazamide <> 'No' AS INTEGER) + CAST(examide <> 'No' AS INTEGER)
    + CAST(citoglipton <> 'No' AS INTEGER) + CAST(insulin <> 'No' AS INTEGER)
    + CAST(glyburide_metformin <> 'No' AS INTEGER) + CAST(glipizide_metformin <> 'No' AS INTEGER)
    + CAST(glimepiride_pioglitazone <> 'No' AS INTEGER) + CAST(metformin_rosiglitazone <> 'No' AS INTEGER)
    + CAST(metformin_pioglitazone <> 'No' AS INTEGER) AS drugs,
    CAST(metformin = 'Up' AS INTEGER) + CAST(repaglinide = 'Up' AS INTEGER)
    + CAST(nateglinide = 'Up' AS INTEGER) + CAST(chlorpropamide = 'Up' AS INTEGER)
    + CAST(glimepiride = 'Up' AS INTEGER) + CAST(acetohexamide = 'Up' AS INTEGER)
    + CAST(glipizide = 'Up' AS INTEGER) + CAST(glyburide = 'Up' AS INTEGER)
    + CAST(tolbutamide = 'Up' AS INTEGER) + CAST(pioglitazone = 'Up' AS INTEGER)
    + CAST(rosiglitazone = 'Up' AS INTEGER) + CAST(acarbose = 'Up' AS INTEGER)
    + CAST(miglitol = 'Up' AS INTEGER) + CAST(troglitazone = 'Up' AS INTEGER)
    + CAST(tolazamide = 'Up' AS INTEGER) + CAST(examide = 'Up' AS INTEGER)
    + CAST(citoglipton = 'Up' AS INTEGER) + CAST(insulin = 'Up' AS INTEGER)
    + CAST(glyburide_metformin = 'Up' AS INTEGER) + CAST(glipizide_metformin = 'Up' AS INTEGER)
    + CAST(glimepiride_pioglitazone = 'Up' AS INTEGER) + CAST(metformin_rosiglitazone = 'Up' AS INTEGER)
    + CAST(metformin_pioglitazone = 'Up' AS INTEGER) AS drugs_up,
    CAST(metformin = 'Down' AS INTEGER) + CAST(repaglinide = 'Down' AS INTEGER)
    + CAST(nateglinide = 'Down' AS INTEGER) + CAST(chlorpropamide = 'Down' AS INTEGER)
    + CAST(glimepiride = 'Down' AS INTEGER) + CAST(acetohexamide = 'Down' AS INTEGER)
    + CAST(glipizide = 'Down' AS INTEGER) + CAST(glyburide = 'Down' AS INTEGER)
    + CAST(tolbutamide = 'Down' AS INTEGER) + CAST(pioglitazone = 'Down' AS INTEGER)
    + CAST(rosiglitazone = 'Down' AS INTEGER) + CAST(acarbose = 'Down' AS INTEGER)
    + CAST(miglitol = 'Down' AS INTEGER) + CAST(troglitazone = 'Down' AS INTEGER)
    + CAST(tolazamide = 'Down' AS INTEGER) + CAST(examide = 'Down' AS INTEGER)
    + CAST(citoglipton = 'Down' AS INTEGER) + CAST(insulin = 'Down' AS INTEGER)
    + CAST(glyburide_metformin = 'Down' AS INTEGER) + CAST(glipizide_metformin = 'Down' AS INTEGER)
    + CAST(glimepiride_pioglitazone = 'Down' AS INTEGER) + CAST(metformin_rosiglitazone = 'Down' AS INTEGER)
    + CAST(metformin_pioglitazone = 'Down' AS INTEGER) AS drugs_down,
    medication_change,
    diabetes_med,
    readmitted
FROM numbered
