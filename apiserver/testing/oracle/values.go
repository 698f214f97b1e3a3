package main

import (
	"encoding/json"

	"gopkg.in/inf.v0"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
)

type readQuantity struct {
	Refused string `json:"refused,omitempty"`
	// As an object that has it is written back.
	Text string `json:"text,omitempty"`
	// Without what the reader keeps of the text.
	Canonical string `json:"canonical,omitempty"`
	// In billionths.
	Nanos string `json:"nanos,omitempty"`
}

func quantity(line []byte) (interface{}, error) {
	var asked struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	read, err := resource.ParseQuantity(asked.Text)
	if err != nil {
		return readQuantity{Refused: err.Error()}, nil
	}
	number, suffix := read.CanonicalizeBytes(nil)
	text := read.String()
	nanos := new(inf.Dec).Round(read.AsDec(), 9, inf.RoundUp)
	return readQuantity{
		Text:      text,
		Canonical: string(number) + string(suffix),
		Nanos:     nanos.UnscaledBig().String(),
	}, nil
}

var checks = map[string]func(string) []string{
	"dns1123Label":     utilvalidation.IsDNS1123Label,
	"dns1123Subdomain": utilvalidation.IsDNS1123Subdomain,
	"dns1035Label":     utilvalidation.IsDNS1035Label,
	"qualifiedName":    utilvalidation.IsQualifiedName,
	"labelValue":       utilvalidation.IsValidLabelValue,
}

// checkName says what is wrong with a name, by each of the rules for names.
func checkName(line []byte) (interface{}, error) {
	var asked struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for name, check := range checks {
		found[name] = append([]string{}, check(asked.Text)...)
	}
	found["pathSegment"] = append([]string{}, validation.NameIsDNSSubdomain(asked.Text, true)...)
	return found, nil
}

type selected struct {
	Refused string `json:"refused,omitempty"`
	Matches bool   `json:"matches"`
}

// selects tells whether a selector of labels or fields picks a set of them.
func selects(line []byte) (interface{}, error) {
	var asked struct {
		Selector string            `json:"selector"`
		Fields   bool              `json:"fields"`
		Set      map[string]string `json:"set"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	if asked.Fields {
		selector, err := fields.ParseSelector(asked.Selector)
		if err != nil {
			return selected{Refused: err.Error()}, nil
		}
		return selected{Matches: selector.Matches(fields.Set(asked.Set))}, nil
	}
	selector, err := labels.Parse(asked.Selector)
	if err != nil {
		return selected{Refused: err.Error()}, nil
	}
	return selected{Matches: selector.Matches(labels.Set(asked.Set))}, nil
}
