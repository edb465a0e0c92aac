package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/streams/internal/golden"
)

// The first use of a term in a lesson is a link to the glossary. UPDATE=1 makes
// these links.
func TestLessons_LinkTheFirstUseOfATerm(t *testing.T) {
	page, err := os.ReadFile("glossary.md")
	require.NoError(t, err)
	glossary := parseGlossary(string(page))
	for _, name := range slices.Concat(chapters, topics) {
		source, err := os.ReadFile("../" + name)
		require.NoError(t, err)
		problems, linked := linkTerms(name, string(source), glossary, name == chapters[0])
		if golden.Update() && linked != string(source) {
			require.NoError(t, os.WriteFile("../"+name, []byte(linked), 0o644))
			continue
		}
		for _, problem := range problems {
			t.Error(problem)
		}
	}
}

const smallGlossary = `# Glossary

## client stream

An RPC type.

## half-close

The end of one direction.
*Also written:* half-closed, half-closing.

## ` + "`Stop`" + `

A method.

## timeout

A time.

## idle timeout

A limit.

## Words that are everywhere

### client

One of the sides.
`

func TestLinkTerms_LinksFirstPlainUse(t *testing.T) {
	glossary := parseGlossary(smallGlossary)
	for _, tt := range []struct{ name, page, want string }{
		{"the first of two", "A half-close. A half-close.\n", "A [half-close](../docs/glossary.md#half-close). A half-close.\n"},
		{"the case and the plural", "Half-closes end it.\n", "[Half-closes](../docs/glossary.md#half-close) end it.\n"},
		{"what is also written", "It is half-closed.\n", "It is [half-closed](../docs/glossary.md#half-close).\n"},
		{"a definition", "A *half-close* ends it.\n", "A *[half-close](../docs/glossary.md#half-close)* ends it.\n"},
		{"over the end of a line", "1. An idle\n   timeout.\n", "1. An [idle\n   timeout](../docs/glossary.md#idle-timeout).\n"},
		{"in a table", "| a half-close | b |\n|---|---|\n| c | d |\n",
			"| a [half-close](../docs/glossary.md#half-close) | b |\n|---|---|\n| c | d |\n"},
		{"after other uses", "# The half-close\n\n`half-close` [half-close](x.md)\n\n```text\nhalf-close\n```\n\nHalf-close.\n",
			"# The half-close\n\n`half-close` [half-close](x.md)\n\n```text\nhalf-close\n```\n\n[Half-close](../docs/glossary.md#half-close).\n"},
		{"after a generated section", "<!-- generated: x -->\n\nhalf-close\n\n<!-- end -->\n\nhalf-close\n",
			"<!-- generated: x -->\n\nhalf-close\n\n<!-- end -->\n\n[half-close](../docs/glossary.md#half-close)\n"},
		{"two in a line", "An idle timeout and a half-close.\n",
			"An [idle timeout](../docs/glossary.md#idle-timeout) and a [half-close](../docs/glossary.md#half-close).\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			problems, linked := linkTerms("02-x/README.md", tt.page, glossary, false)
			require.NotEmpty(t, problems)
			require.Equal(t, tt.want, linked)

			problems, again := linkTerms("02-x/README.md", linked, glossary, false)
			require.Empty(t, problems)
			require.Equal(t, linked, again)
		})
	}
}

func TestLinkTerms_LeavesOtherWordsAlone(t *testing.T) {
	glossary := parseGlossary(smallGlossary)
	for name, page := range map[string]string{
		"a compound":              "The half-close-test and half-closers.\n",
		"a word of a longer term": "[Client streams](../docs/glossary.md#client-stream) and client streams.\n",
		"a word in other lessons": "A client.\n",
		"a link that is there":    "[A half-close](../docs/glossary.md#half-close) and a half-close.\n",
		"a link with more words":  "[what an idle timeout is](../docs/glossary.md#idle-timeout)\n",
		"the list of tests":       "# A\n\n## Proof\n\n| a half-close | `TestX` |\n|---|---|\n",
		"a name in capitals":      "HALF-CLOSED is a state of HTTP/2.\n",
	} {
		t.Run(name, func(t *testing.T) {
			problems, linked := linkTerms("02-x/README.md", page, glossary, false)
			require.Empty(t, problems)
			require.Equal(t, page, linked)
		})
	}
}

func TestLinkTerms_FirstLessonLinksEveryWord(t *testing.T) {
	page := "A [client stream](../docs/glossary.md#client-stream), client streams, a client.\n"
	_, linked := linkTerms("01-x/README.md", page, parseGlossary(smallGlossary), true)
	require.Equal(t, strings.Replace(page, "a client.", "a [client](../docs/glossary.md#client).", 1), linked)
}

func TestLinkTerms_LinkIsRelativeToTheLesson(t *testing.T) {
	_, linked := linkTerms("07-x/y/README.md", "A half-close.\n", parseGlossary(smallGlossary), false)
	require.Equal(t, "A [half-close](../../docs/glossary.md#half-close).\n", linked)
}

func TestLinkTerms_NamesTheLine(t *testing.T) {
	problems, _ := linkTerms("02-x/README.md", "\nA\nhalf-close.\n", parseGlossary(smallGlossary), false)
	require.Equal(t, []string{`02-x/README.md:3: the first "half-close" is no link to its entry in docs/glossary.md; ` +
		"run UPDATE=1 go test ./docs"}, problems)
}

func TestGlossary_IsInAlphabeticalOrder(t *testing.T) {
	page, err := os.ReadFile("glossary.md")
	require.NoError(t, err)
	plain := strings.NewReplacer("`", "", "-", " ")
	for _, marks := range []string{"## ", "### "} {
		var headings []string
		for line := range strings.Lines(string(page)) {
			if name, ok := strings.CutPrefix(line, marks); ok && strings.TrimSpace(name) != everywhere {
				headings = append(headings, strings.TrimSpace(strings.ToLower(plain.Replace(name))))
			}
		}
		require.NotEmpty(t, headings)
		for i, heading := range headings[1:] {
			require.Less(t, headings[i], heading, "the order of the headings, each of them once")
		}
	}
}

func TestGlossary_SaysWhereATermIsShown(t *testing.T) {
	page, err := os.ReadFile("glossary.md")
	require.NoError(t, err)
	for _, entry := range regexp.MustCompile(`(?m)^##+ `).Split(string(page), -1)[1:] {
		name, text, _ := strings.Cut(entry, "\n")
		if name != everywhere {
			require.Contains(t, text, "*Shown in* [", "the entry %q", name)
		}
	}
}
