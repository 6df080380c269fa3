#include <libpq-fe.h>

// The types of libpq's functions, for a caller that loads the library itself: nothing links it.
#define FUNCTION(name) typedef __typeof__(&name) name##Function

FUNCTION(PQbackendPID);
FUNCTION(PQclear);
FUNCTION(PQcmdStatus);
FUNCTION(PQcmdTuples);
FUNCTION(PQconnectdbParams);
FUNCTION(PQconninfoFree);
FUNCTION(PQconninfoParse);
FUNCTION(PQerrorMessage);
FUNCTION(PQexec);
FUNCTION(PQexecParams);
FUNCTION(PQfinish);
FUNCTION(PQfname);
FUNCTION(PQfreemem);
FUNCTION(PQftype);
FUNCTION(PQgetisnull);
FUNCTION(PQgetvalue);
FUNCTION(PQnfields);
FUNCTION(PQntuples);
FUNCTION(PQresultErrorField);
FUNCTION(PQresultStatus);
FUNCTION(PQsetNoticeProcessor);
FUNCTION(PQstatus);
FUNCTION(PQtransactionStatus);

#undef FUNCTION
