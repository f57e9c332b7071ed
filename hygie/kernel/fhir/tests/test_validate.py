from __future__ import annotations

import contextlib
import time

import pytest

from hygie.kernel.errors import HygieError, Malformed
from hygie.kernel.fhir.tests.refused import observation, patient, refused
from hygie.kernel.fhir.validate import parse


def div(inner: str) -> str:
    return f'<div xmlns=\\"http://www.w3.org/1999/xhtml\\">{inner}</div>'


def narrative(xhtml: str) -> str:
    return patient(f'"text":{{"status":"generated","div":"{xhtml}"}}')


def test_a_valid_resource_keeps_its_bytes() -> None:
    raw = b' {"id":"1" , "resourceType" : "Patient"}\n'
    parsed = parse(raw)
    assert (parsed.resource_type, parsed.resource.id, parsed.raw) == ("Patient", "1", raw)


def test_a_text_that_is_not_an_object_is_refused() -> None:
    assert refused("[]") == (400, "structure", "Resource")


def test_an_object_without_resource_type_is_refused() -> None:
    assert refused('{"id":"1"}') == (400, "structure", "Resource")


def test_an_unknown_resource_type_is_refused() -> None:
    assert refused('{"resourceType":"Patients"}') == (400, "structure", "Resource")


def test_a_type_of_a_later_fhir_version_is_refused() -> None:
    assert refused('{"resourceType":"SubscriptionStatus"}')[0] == 400


def test_another_type_than_the_address_names_is_refused() -> None:
    with pytest.raises(Malformed, match="Observation"):
        parse(patient('"active":true').encode(), expect="Observation")


def test_an_unknown_element_is_refused() -> None:
    assert refused(patient('"foo":1')) == (400, "structure", "Patient.foo")


def test_an_unknown_element_with_an_odd_name_is_not_repeated() -> None:
    with pytest.raises(HygieError) as caught:
        parse(patient('"Jean Dupont":1').encode())
    assert "Jean" not in f"{caught.value} {caught.value.issues}"


def test_an_element_of_the_package_publisher_is_refused() -> None:
    assert refused(patient('"meta":{"project":"x"}'))[0] == 400


def test_a_null_is_refused() -> None:
    assert refused(patient('"active":null')) == (400, "structure", "Patient.active")


def test_an_empty_array_is_refused() -> None:
    assert refused(patient('"name":[]')) == (400, "structure", "Patient.name")


def test_an_empty_text_is_refused() -> None:
    found = refused(patient('"name":[{"family":""}]'))
    assert found == (400, "value", "Patient.name[0].family")


def test_one_value_where_many_are_expected_is_refused() -> None:
    assert refused(patient('"name":{"family":"x"}')) == (400, "structure", "Patient.name")


def test_many_values_where_one_is_expected_are_refused() -> None:
    found = refused(patient('"maritalStatus":[{"text":"x"}]'))
    assert found == (400, "structure", "Patient.maritalStatus")


def test_a_text_where_a_boolean_is_expected_is_refused() -> None:
    assert refused(patient('"active":"true"')) == (400, "structure", "Patient.active")


def test_a_number_where_a_text_is_expected_is_refused() -> None:
    assert refused(patient('"birthDate":1956')) == (400, "structure", "Patient.birthDate")


@pytest.mark.parametrize(
    "text", ["2023-02-30", "2023-2-3", "23-02-03", "2023-13", "0000", "2023-01-01T10:00:00Z", "x"]
)
def test_a_date_that_is_none_is_refused(text: str) -> None:
    assert refused(patient(f'"birthDate":"{text}"')) == (400, "value", "Patient.birthDate")


@pytest.mark.parametrize("text", ["2023", "2023-02", "2024-02-29"])
def test_a_partial_date_is_accepted(text: str) -> None:
    assert parse(patient(f'"birthDate":"{text}"').encode()).resource.birthDate == text


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29T10:00:00Z",
        "2024-02-28T10:00:00",
        "2024-02-28T10:00Z",
        "2024-02-28T24:00:00Z",
        "2024-02-28 10:00:00Z",
        "2024-02-28T10:00:00+15:00",
    ],
)
def test_a_date_and_time_that_is_none_is_refused(text: str) -> None:
    found = refused(observation(f'"effectiveDateTime":"{text}"'))
    assert found == (400, "value", "Observation.effective")


def test_a_leap_second_is_accepted() -> None:
    assert parse(observation('"issued":"2016-12-31T23:59:60Z"').encode())


def test_an_instant_without_time_is_refused() -> None:
    assert refused(observation('"issued":"2024-02-28"')) == (400, "value", "Observation.issued")


@pytest.mark.parametrize("text", ["10:30", "25:00:00", "10:30:00Z"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    found = refused(observation(f'"valueTime":"{text}"'))
    assert found == (400, "value", "Observation.value")


@pytest.mark.parametrize("text", ["a b", "a" * 65, "é", "a/b", "a\\n"])
def test_an_id_of_the_wrong_form_is_refused(text: str) -> None:
    assert refused(patient(f'"id":"{text}"')) == (400, "value", "Patient.id")


def test_a_uri_with_white_space_is_refused() -> None:
    found = refused(patient('"identifier":[{"system":"urn: x"}]'))
    assert found == (400, "value", "Patient.identifier[0].system")


@pytest.mark.parametrize("text", [" a", "a ", "a  b"])
def test_a_code_with_stray_white_space_is_refused(text: str) -> None:
    found = refused(observation(f'"category":[{{"coding":[{{"code":"{text}"}}]}}]'))
    assert found == (400, "value", "Observation.category[0].coding[0].code")


@pytest.mark.parametrize("text", ["%%%", "YQ", "YQ=", "Y=Q="])
def test_base64_that_is_none_is_refused(text: str) -> None:
    found = refused(patient(f'"photo":[{{"data":"{text}"}}]'))
    assert found == (400, "value", "Patient.photo[0].data")


def test_base64_with_line_breaks_is_accepted() -> None:
    assert parse(patient('"photo":[{"data":"YW\\nJj"}]').encode())


def test_a_fraction_where_an_integer_is_expected_is_refused() -> None:
    assert refused(observation('"valueInteger":1.5')) == (400, "structure", "Observation.value")


def test_zero_where_a_positive_integer_is_expected_is_refused() -> None:
    found = refused(patient('"telecom":[{"rank":0}]'))
    assert found == (400, "value", "Patient.telecom[0].rank")


def test_decimals_keep_their_digits() -> None:
    parsed = parse(observation('"valueQuantity":{"value":1.10}').encode())
    assert str(parsed.resource.valueQuantity.value) == "1.10"


def test_a_missing_required_element_is_refused() -> None:
    raw = '{"resourceType":"Observation","status":"final"}'
    assert refused(raw) == (422, "required", "Observation.code")


def test_a_missing_required_primitive_is_refused() -> None:
    raw = '{"resourceType":"Observation","code":{"text":"x"}}'
    assert refused(raw) == (422, "required", "Observation.status")


def test_an_extension_stands_for_a_required_primitive() -> None:
    extension = '{"extension":[{"url":"http://x","valueCode":"unknown"}]}'
    raw = f'{{"resourceType":"Observation","_status":{extension},"code":{{"text":"x"}}}}'
    assert parse(raw.encode())


def test_a_missing_required_choice_is_refused() -> None:
    raw = (
        '{"resourceType":"MedicationStatement","status":"active",'
        '"subject":{"reference":"Patient/1"}}'
    )
    assert refused(raw) == (422, "required", "MedicationStatement.medication")


def test_two_variants_of_a_choice_are_refused() -> None:
    found = refused(observation('"valueString":"x","valueInteger":1'))
    assert found == (422, "structure", "Observation.value")


def test_a_variant_and_the_extension_of_another_are_refused() -> None:
    found = refused(observation('"valueString":"x","_valueInteger":{"id":"a"}'))
    assert found == (422, "structure", "Observation.value")


def test_two_values_in_an_extension_are_refused() -> None:
    found = refused(patient('"extension":[{"url":"x","valueString":"a","valueCode":"b"}]'))
    assert found == (422, "structure", "Patient.extension[0].value")


def test_a_variant_with_its_own_extension_is_accepted() -> None:
    assert parse(observation('"valueString":"x","_valueString":{"id":"a"}').encode())


def test_a_code_outside_its_required_binding_is_refused() -> None:
    assert refused(patient('"gender":"F"')) == (422, "code-invalid", "Patient.gender")


def test_a_concept_outside_its_required_binding_is_refused() -> None:
    raw = (
        '{"resourceType":"Condition","subject":{"reference":"Patient/1"},'
        '"clinicalStatus":{"coding":[{"system":"http://x","code":"active"}]}}'
    )
    assert refused(raw) == (422, "code-invalid", "Condition.clinicalStatus")


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/1",
        "Practitioner/1/_history/2",
        "https://example.org/fhir/Practitioner/1",
        "Practitioner?identifier=1",
        "Patients/1",
    ],
)
def test_a_reference_to_a_wrong_type_is_refused(reference: str) -> None:
    found = refused(observation(f'"subject":{{"reference":"{reference}"}}'))
    assert found == (422, "value", "Observation.subject")


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "https://example.org/fhir/Patient/1",
        "https://example.org/Anything/1",
        "Patient?identifier=1",
        "#p",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    ],
)
def test_a_reference_that_names_no_wrong_type_is_accepted(reference: str) -> None:
    assert parse(observation(f'"subject":{{"reference":"{reference}"}}').encode())


def test_a_logical_reference_to_a_wrong_type_is_refused() -> None:
    found = refused(observation('"subject":{"type":"Practitioner","display":"x"}'))
    assert found == (422, "value", "Observation.subject")


def test_the_place_of_a_wrong_reference_in_an_array_is_told() -> None:
    members = '"performer":[{"reference":"Patient/1"},{"reference":"Device/1"}]'
    assert refused(observation(members)) == (422, "value", "Observation.performer[1]")


def test_a_null_in_an_array_without_extension_is_refused() -> None:
    found = refused(patient('"name":[{"given":["a",null]}]'))
    assert found == (400, "structure", "Patient.name[0].given")


def test_arrays_of_values_and_extensions_of_different_length_are_refused() -> None:
    found = refused(patient('"name":[{"given":["a"],"_given":[null,{"id":"b"}]}]'))
    assert found == (400, "structure", "Patient.name[0].given")


def test_an_extension_stands_for_a_null_in_an_array() -> None:
    raw = patient('"name":[{"given":[null,"b"],"_given":[{"id":"a"},null]}]')
    assert parse(raw.encode()).resource.name[0].given == [None, "b"]


def test_a_fault_in_the_extension_of_a_primitive_is_told_at_the_element() -> None:
    found = refused(patient('"_birthDate":{"extension":[{"valueString":"x"}]}'))
    assert found == (422, "required", "Patient.birthDate.extension[0].url")


def test_a_narrative_outside_the_xhtml_namespace_is_refused() -> None:
    assert refused(narrative("<div>x</div>")) == (400, "value", "Patient.text.div")


def test_a_narrative_that_is_not_a_div_is_refused() -> None:
    assert refused(narrative("x")) == (400, "value", "Patient.text.div")


@pytest.mark.parametrize(
    "inner",
    [
        "<script>x</script>",
        "<p onclick='x()'>x</p>",
        "<a href='javascript:x'>x</a>",
        "<iframe src='x'/>",
        "<!ENTITY x 'y'>",
    ],
)
def test_a_narrative_with_active_content_is_refused(inner: str) -> None:
    assert refused(narrative(div(inner))) == (422, "invariant", "Patient.text.div")


def test_a_narrative_that_speaks_of_scripts_is_accepted() -> None:
    assert parse(narrative(div("<p>once = 1, javascript: &lt;script&gt;</p>")).encode())


@pytest.mark.parametrize(
    "inner",
    ["<" + " " * 300_000, "< " * 150_000, "<" * 300_000, "<a " + "onx " * 75_000, "<a javascript "],
)
def test_a_hostile_narrative_costs_linear_time(inner: str) -> None:
    begun = time.perf_counter()
    accepted_or_refused(narrative(div(inner)))
    assert time.perf_counter() - begun < 1


def accepted_or_refused(raw: str) -> None:
    with contextlib.suppress(HygieError):
        parse(raw.encode())


def test_a_fault_in_a_contained_resource_is_told_at_its_place() -> None:
    found = refused(patient('"contained":[{"resourceType":"Patient","gender":"F"}]'))
    assert found == (422, "code-invalid", "Patient.contained[0].gender")


def test_a_contained_resource_of_unknown_type_is_refused() -> None:
    found = refused(patient('"contained":[{"resourceType":"Foo"}]'))
    assert found == (400, "structure", "Patient.contained[0]")


def test_a_contained_value_that_is_no_resource_is_refused() -> None:
    assert refused(patient('"contained":[1]')) == (400, "structure", "Patient.contained[0]")


def test_a_contained_resource_that_contains_another_is_refused() -> None:
    inner = '{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}'
    found = refused(patient(f'"contained":[{inner}]'))
    assert found == (422, "invariant", "Patient.contained[0].contained[0]")


def batch(resource: str) -> str:
    return f'{{"resourceType":"Bundle","type":"batch","entry":[{{"resource":{resource}}}]}}'


def test_a_fault_in_a_bundle_entry_is_told_at_its_place() -> None:
    found = refused(batch(patient('"gender":"F"')))
    assert found == (422, "code-invalid", "Bundle.entry[0].resource.gender")


def test_a_fault_in_a_parameter_is_told_at_its_place() -> None:
    inner = patient('"gender":"F"')
    part = f'{{"name":"b","resource":{inner}}}'
    raw = f'{{"resourceType":"Parameters","parameter":[{{"name":"a","part":[{part}]}}]}}'
    expression = "Parameters.parameter[0].part[0].resource.gender"
    assert refused(raw) == (422, "code-invalid", expression)


def test_bundle_entries_are_left_to_their_owner_when_asked() -> None:
    parsed = parse(batch(patient('"gender":"F","gender":{}')).encode(), nested=False)
    assert bytes(parsed.resource.entry[0].resource).startswith(b'{"resourceType":"Patient"')


def test_a_bundle_entry_that_is_no_resource_is_refused_at_once() -> None:
    found = refused(batch('{"id":"1"}'), nested=False)
    assert found == (400, "structure", "Bundle.entry[0].resource")


@pytest.mark.parametrize(
    "raw",
    [
        patient('"birthDate":"Zorglub"'),
        patient('"gender":"Zorglub"'),
        patient('"id":"Zorglub Zorglub"'),
        observation('"subject":{"reference":"Zorglub/1"}'),
        observation('"valueQuantity":{"value":"Zorglub"}'),
        patient('"Zorglub !":1'),
        patient('"contained":[{"resourceType":"Zorglub"}]'),
    ],
)
def test_no_refusal_repeats_a_value(raw: str) -> None:
    with pytest.raises(HygieError) as caught:
        parse(raw.encode())
    assert "Zorglub" not in f"{caught.value} {caught.value.issues}"
