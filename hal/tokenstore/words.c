// SPDX-License-Identifier: Apache-2.0
#include "hal/tokenstore.h"

struct tokenstore_words hal_tokenstore_words(enum rc rc, const struct tokenstore_findings *found)
{
    if (found->missing[0] != '\0') {
        return (struct tokenstore_words){found->missing,
                                         "the board says that it is there; see to it"};
    }
    if (found->downgraded) {
        return (struct tokenstore_words){
            "was written with a better protection than this program's board offers",
            "run the program that wrote it, or remove tokens/ and put every secret anew"};
    }
    switch (rc) {
    case RC_OK:
        return (struct tokenstore_words){"is good", "nothing is to be done"};
    case RC_DENIED:
        return (struct tokenstore_words){
            "others can read it, or it is not ours",
            "set mode 0700 on tokens/ and 0600 on its files, and give them to STATE's owner"};
    case RC_STALE:
        return (struct tokenstore_words){
            "was sealed for another state of this machine or another TPM, or restored from a copy",
            "boot what it was sealed for, or remove tokens/ and put every secret anew"};
    case RC_RETRY:
        return (struct tokenstore_words){"its device is busy or locked out for now",
                                         "try again in some minutes"};
    case RC_CORRUPT:
        return (struct tokenstore_words){
            "is damaged, or was made by another box, board or device key",
            "bring those together again, or remove tokens/ and put every secret anew"};
    case RC_FULL:
        return (struct tokenstore_words){"is full, or the disk is", "remove what is not needed"};
    default:
        return (struct tokenstore_words){"cannot be made, read or written",
                                         "check the state directory, its disk and its space"};
    }
}
