package main

import (
	"encoding/json"
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// writeOverlay writes the swapped files of dirs to tmp and returns the path
// of the overlay that puts them in the place of the real ones.
func writeOverlay(tmp string, dirs []string) (string, error) {
	replace := map[string]string{}
	for _, dir := range dirs {
		for _, name := range []string{"broken.go", "fixed.go"} {
			path := filepath.Join(dir, name)
			src, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			swapped := filepath.Join(tmp, fmt.Sprintf("%d.go", len(replace)))
			if err := os.WriteFile(swapped, swap(src), 0o600); err != nil {
				return "", err
			}
			replace[path] = swapped
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(tmp, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// swap exchanges the names that begin with broken and with fixed.
func swap(src []byte) []byte {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	s.Init(file, src, nil, 0)
	var out []byte
	copied := 0
	for {
		pos, tok, name := s.Scan()
		if tok == token.EOF {
			return append(out, src[copied:]...)
		}
		if tok == token.IDENT {
			begin := file.Offset(pos)
			out = append(append(out, src[copied:begin]...), opposite(name)...)
			copied = begin + len(name)
		}
	}
}

func opposite(name string) string {
	for _, p := range [][2]string{{"Broken", "Fixed"}, {"Fixed", "Broken"}, {"broken", "fixed"}, {"fixed", "broken"}} {
		if rest, ok := strings.CutPrefix(name, p[0]); ok {
			return p[1] + rest
		}
	}
	return name
}
