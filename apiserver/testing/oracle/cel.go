package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	apiservercel "k8s.io/apiserver/pkg/cel"
	celcommon "k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
	celopenapi "k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

// listsOfLater are in the base environment of Kubernetes since 1.34; Debian's apiserver is older than its other parts.
var listsOfLater = environment.VersionedOptions{
	IntroducedVersion: version.MajorMinor(1, 0),
	EnvOptions:        []cel.EnvOption{ext.Lists(ext.ListsVersion(3))},
}

// variables is an environment of variables of the types that a schema gives them, the schema's properties.
type variables struct {
	env    *cel.Env
	schema *spec.Schema
}

var environments = map[string]*variables{}

// isAny tells a schema that says nothing.
func isAny(given *spec.Schema) bool { return len(given.Type) == 0 && len(given.Extensions) == 0 }

// environmentOf has the variables of a schema's properties, and authorizer.
func environmentOf(text json.RawMessage) (*variables, error) {
	if known, ok := environments[string(text)]; ok {
		return known, nil
	}
	properties := &spec.Schema{}
	if err := json.Unmarshal(text, properties); err != nil {
		return nil, err
	}
	options := []cel.EnvOption{cel.Variable("authorizer", library.AuthorizerType)}
	declared := []*apiservercel.DeclType{}
	for name, property := range properties.Properties {
		if isAny(&property) {
			options = append(options, cel.Variable(name, cel.DynType))
			continue
		}
		declaration := celopenapi.SchemaDeclType(&property, false)
		if declaration == nil {
			return nil, fmt.Errorf("no type for %s", name)
		}
		declaration = declaration.MaybeAssignTypeName("schema." + name)
		options = append(options, cel.Variable(name, declaration.CelType()))
		declared = append(declared, declaration)
	}
	base := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion(), true)
	extended, err := base.Extend(listsOfLater, environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        options,
		DeclTypes:         declared,
	})
	if err != nil {
		return nil, err
	}
	env, err := extended.Env(environment.StoredExpressions)
	if err != nil {
		return nil, err
	}
	environments[string(text)] = &variables{env, properties}
	return environments[string(text)], nil
}

type evaluated struct {
	// What is wrong with the expression.
	Refused string `json:"refused,omitempty"`
	Type    string `json:"type,omitempty"`
	Value   string `json:"value,omitempty"`
	Failed  string `json:"failed,omitempty"`
	Cost    uint64 `json:"cost"`
}

func evaluate(line []byte) (interface{}, error) {
	var asked struct {
		Expression string                     `json:"expression"`
		Schema     json.RawMessage            `json:"schema"`
		Values     map[string]json.RawMessage `json:"values"`
		Limit      uint64                     `json:"limit"`
	}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	known, err := environmentOf(asked.Schema)
	if err != nil {
		return nil, err
	}
	ast, issues := known.env.Compile(asked.Expression)
	if issues != nil && issues.Err() != nil {
		return evaluated{Refused: issues.String()}, nil
	}
	options := []cel.ProgramOption{}
	if asked.Limit > 0 {
		options = append(options, cel.CostLimit(asked.Limit))
	}
	program, err := known.env.Program(ast, options...)
	if err != nil {
		return evaluated{Refused: "program instantiation failed: " + err.Error()}, nil
	}
	values := map[string]interface{}{"authorizer": library.NewAuthorizerVal(&user.DefaultInfo{Name: "alice"}, rules{})}
	for name, text := range asked.Values {
		var value interface{}
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		property := known.schema.Properties[name]
		if isAny(&property) {
			values[name] = numbers(value)
			continue
		}
		values[name] = celcommon.UnstructuredToVal(numbers(value), &celopenapi.Schema{Schema: &property})
	}
	result, details, err := program.Eval(values)
	answer := evaluated{Type: ast.OutputType().String()}
	if details != nil && details.ActualCost() != nil {
		answer.Cost = *details.ActualCost()
	}
	if err != nil {
		answer.Failed = err.Error()
		return answer, nil
	}
	answer.Value = describe(result)
	return answer, nil
}

// describe shows a value so that equal ones, and only these, look alike.
func describe(value ref.Val) string {
	switch given := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return strconv.FormatBool(bool(given))
	case types.Int:
		return strconv.FormatInt(int64(given), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(given), 10) + "u"
	case types.Double:
		return "double " + strconv.FormatFloat(float64(given), 'e', -1, 64)
	case types.String:
		text, _ := json.Marshal(string(given))
		return string(text)
	case types.Bytes:
		return "bytes " + base64.StdEncoding.EncodeToString(given)
	case types.Timestamp:
		return fmt.Sprintf("timestamp %d.%09d", given.Unix(), given.Nanosecond())
	case types.Duration:
		return "duration " + strconv.FormatInt(given.Nanoseconds(), 10)
	case *types.Type:
		return "type " + given.TypeName()
	case *types.Optional:
		if !given.HasValue() {
			return "none"
		}
		return "optional " + describe(given.GetValue())
	case traits.Mapper:
		shown := []string{}
		for entries := given.Iterator(); entries.HasNext() == types.True; {
			key := entries.Next()
			shown = append(shown, describe(key)+": "+describe(given.Get(key)))
		}
		sort.Strings(shown)
		return "{" + strings.Join(shown, ", ") + "}"
	case traits.Lister:
		shown := []string{}
		for items := given.Iterator(); items.HasNext() == types.True; {
			shown = append(shown, describe(items.Next()))
		}
		return "[" + strings.Join(shown, ", ") + "]"
	}
	return value.Type().TypeName()
}

// rules decide by what is asked, so that every part of a question shows in the answer.
type rules struct{}

func (rules) Authorize(_ context.Context, asked authorizer.Attributes) (authorizer.Decision, string, error) {
	if asked.GetVerb() == "fail" {
		return authorizer.DecisionNoOpinion, "", errors.New("no answer")
	}
	by := fmt.Sprintf("%s %s %s/%s/%s/%s %s %s", asked.GetUser().GetName(), asked.GetVerb(), asked.GetAPIGroup(),
		asked.GetResource(), asked.GetSubresource(), asked.GetNamespace(), asked.GetName(), asked.GetPath())
	if fields, err := asked.GetFieldSelector(); err != nil {
		by += " fields: " + err.Error()
	} else if fields != nil {
		by += " fields: " + fmt.Sprint(fields)
	}
	if labels, err := asked.GetLabelSelector(); err != nil {
		by += " labels: " + err.Error()
	} else if labels != nil {
		by += " labels: " + fmt.Sprint(labels)
	}
	if slices.Contains([]string{"get", "list"}, asked.GetVerb()) {
		return authorizer.DecisionAllow, by, nil
	}
	return authorizer.DecisionDeny, by, nil
}
