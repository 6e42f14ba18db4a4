package templates

import (
	"strings"

	"github.com/agext/levenshtein"
)

// distance is the number of letters to change, letters' case left aside.
func distance(a, b string) int {
	return levenshtein.Distance(strings.ToLower(a), strings.ToLower(b), nil)
}

// banned says why a function that people know from sprig or Go is not here.
func banned(name string) (message, help string) {
	for _, group := range bannedGroups {
		for _, n := range strings.Fields(group.names) {
			if n == name {
				return name + " " + group.reason, group.help
			}
		}
	}
	return "", ""
}

// bannedGroups are all functions of sprig and text/template that are not on the
// allow-list, but for their old spellings. A test holds them against sprig's own list.
var bannedGroups = []struct{ names, reason, help string }{
	{"now ago unixEpoch", "reads the clock, so the same job would ask twice", "give the date with --var"},
	{"date date_in_zone dateInZone htmlDate htmlDateInZone toDate mustToDate date_modify dateModify must_date_modify mustDateModify",
		"reads the clock or the machine's time zone, so the same job would ask twice", "write dates into the data as they are to be read"},
	{"randAlphaNum randAlpha randAscii randNumeric randBytes randInt shuffle uuidv4",
		"is random, so the same job would ask twice", "to repeat a prompt, use {count: 5} as an axis of the matrix"},
	{"genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey bcrypt htpasswd encryptAES",
		"is random, so the same job would ask twice", "secrets don't belong into prompts"},
	{"derivePassword buildCustomCert decryptAES", "works with secrets, which don't belong into prompts", ""},
	{"env expandenv", "reads the environment of the machine", "allow a variable with --env NAME and write {{ .env.NAME }}"},
	{"getHostByName", "asks the network, so the same job would ask twice", ""},
	{"osBase osClean osDir osExt osIsAbs", "differs between operating systems", "base, clean, dir, ext and isAbs take slashes everywhere"},
	{"typeOf typeIs typeIsLike", "names types of Go, not kinds of values", "use kindOf or kindIs"},
	{"semver", "gives no plain value", "compare versions with semverCompare"},
	{"call", "calls functions in data, and data holds none", ""},
	{"hello", "says nothing a template could not say itself", ""},
	{"trimall", "is sprig's old name of trimAll", "write trimAll"},
	{"break continue", "stands alone, inside of range", ""},
}
