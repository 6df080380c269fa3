// The C library of the platform under one name, so that no other file has to tell the platforms apart:
//
//     internal import CLibrary
//
//     let count = CLibrary.read(file, bytes, room)

#if canImport(Glibc)
    @_exported public import Glibc
#else
    @_exported public import Darwin
#endif
