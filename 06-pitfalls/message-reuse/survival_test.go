package messagereuse

import (
	"testing"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
)

func TestSurvival_OfFixedSum(t *testing.T) { pitfalltest.OfSumCall(FixedSum).Run(t) }
