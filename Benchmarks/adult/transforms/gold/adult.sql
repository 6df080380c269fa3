-- The file as it is. It has no key of its own, so the number of the row in the file is the key.
SELECT
    _row AS row_number,
    age,
    workclass,
    fnlwgt,
    education,
    education_num,
    marital_status,
    occupation,
    relationship,
    race,
    sex,
    capital_gain,
    capital_loss,
    hours_per_week,
    native_country,
    income
FROM bronze.adult
