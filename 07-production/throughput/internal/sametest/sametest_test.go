package sametest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const original = `package plain

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOne is copied.
func TestOne(t *testing.T) {
	_ = strings.Repeat("x", 2)
}

// TestTwo calls what the other package does not have.
func TestTwo(t *testing.T) {
	_ = rand.Int()
}

type counter struct{ n int }

func (c *counter) add() { c.n++ }
`

func TestCopy_LacksWhatIsExcluded(t *testing.T) {
	c := Copy{From: "plain", To: "fast", Each: "twice", Without: map[string]string{"TestTwo": "", "counter": ""}}
	used := map[string]bool{}
	text := c.remove(t, original, used)
	require.Equal(t, map[string]bool{"TestTwo": true, "counter": true}, used)
	require.Equal(t, `// Code generated from plain/one_test.go; DO NOT EDIT.

package fast

import (
	"strings"
	"testing"
)

// TestOne is copied.
func TestOne(t *testing.T) { twice(t, testOne) }

func testOne(t *testing.T) {
	_ = strings.Repeat("x", 2)
}

`, c.edit("one_test.go", text))
}
