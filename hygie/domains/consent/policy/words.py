"""The access rules in plain French and English: facts as parts of sentences, rules as sentences.

The French words speak to whom the fact is about: the explanation pages show them as they stand.
"""

from __future__ import annotations

from hygie.kernel.security.clauses import Words

FOR_CARE = Words(
    "c’est pour soigner",
    "ce n’est pas pour soigner",
    "it is for care",
    "it is not for care",
)
FOR_PAYMENT = Words(
    "c’est pour facturer",
    "ce n’est pas pour facturer",
    "it is for billing",
    "it is not for billing",
)
MAY_REVIEW = Words(
    "vous contrôlez les accès",
    "vous n’êtes pas chargé du contrôle des accès",
    "you review accesses",
    "you are not in charge of reviewing accesses",
)
IN_TEAM = Words(
    "vous faites partie de l’équipe de soins",
    "vous ne faites pas partie de l’équipe de soins",
    "you belong to the care team",
    "you do not belong to the care team",
)
TEAM_CONSENT = Words(
    "le patient accepte que son équipe de soins lise son dossier",
    "le patient n’a pas encore accepté que son équipe de soins lise son dossier",
    "the patient agreed that the care team reads the record",
    "the patient has not agreed yet that the care team reads the record",
)
TREATING = Words(
    "vous êtes le médecin traitant",
    "vous n’êtes pas le médecin traitant",
    "you are the treating physician",
    "you are not the treating physician",
)
CONSENTED = Words(
    "le patient vous a donné accès à son dossier",
    "le patient ne vous a pas donné accès à son dossier",
    "the patient gave you access to the record",
    "the patient did not give you access to the record",
)
BLOCKED = Words(
    "le patient vous a bloqué",
    "le patient ne vous a pas bloqué",
    "the patient blocked you",
    "the patient did not block you",
)
EMERGENCY = Words(
    "vous avez déclaré une urgence",
    "vous n’avez pas déclaré d’urgence, ou elle est finie",
    "you declared an emergency",
    "you declared no emergency, or it is over",
)
CENTRE_15 = Words(
    "vous régulez un appel au 15",
    "vous ne régulez pas d’appel au 15 pour ce patient",
    "you regulate a call to 15",
    "you regulate no call to 15 for this patient",
)
HELPER = Words(
    "cette personne vous laisse lire son dossier",
    "cette personne ne vous laisse pas lire son dossier",
    "this person lets you read the record",
    "this person does not let you read the record",
)
HELPER_ADMINISTRATIVE = Words(
    "cette personne vous laisse faire ses démarches",
    "cette personne ne vous a pas confié ses démarches",
    "this person lets you do the paperwork",
    "this person did not entrust the paperwork to you",
)
MANAGES = Words(
    "vous gérez ce dossier pour cette personne",
    "vous ne gérez pas ce dossier pour cette personne",
    "you manage this record for this person",
    "you do not manage this record for this person",
)
PARENT = Words(
    "vous êtes un parent",
    "vous n’êtes pas un parent de cette personne",
    "you are a parent",
    "you are no parent of this person",
)
GUARDIAN = Words(
    "vous êtes le tuteur",
    "vous n’êtes pas le tuteur de cette personne",
    "you are the guardian",
    "you are not the guardian of this person",
)
MINOR = Words(
    "cette personne est mineure",
    "cette personne est majeure",
    "this person is a minor",
    "this person is of age",
)
UNDER_16 = Words(
    "cette personne est trop jeune pour décider seule : ses parents décident",
    "cette personne est assez âgée pour décider seule",
    "this person is too young to decide alone: the parents decide",
    "this person is old enough to decide alone",
)
MAY_ANNOUNCE = Words(
    "votre profession annonce des résultats",
    "votre profession n’annonce pas de résultats : demandez au médecin",
    "your profession announces results",
    "your profession announces no results: ask the physician",
)
MAY_WITHHOLD = Words(
    "vous êtes médecin",
    "seul un médecin fait attendre le résultat d’un autre",
    "you are a physician",
    "only a physician keeps back what somebody else wrote",
)
MAY_KEEP_SECRET = Words(
    "votre profession garde le secret d’un mineur",
    "la loi ne confie pas le secret d’un mineur à votre profession",
    "your profession keeps the secret of a minor",
    "the law does not entrust the secret of a minor to your profession",
)
CLOSED = Words(
    "le dossier est fermé",
    "le dossier n’est pas fermé",
    "the record is closed",
    "the record is not closed",
)
OPPOSED = Words(
    "la personne s’est opposée à l’ouverture du dossier",
    "la personne ne s’est pas opposée à l’ouverture du dossier",
    "the person opposed the opening of the record",
    "the person did not oppose the opening of the record",
)
RESTRICTED = Words(
    "la personne a demandé de limiter l’usage de ses données",
    "aucune limitation n’a été demandée",
    "the person asked to restrict the use of the data",
    "no restriction was asked for",
)
REFUSES_EMERGENCY = Words(
    "le patient refuse l’accès en urgence",
    "le patient ne refuse pas l’accès en urgence",
    "the patient refuses emergency access",
    "the patient does not refuse emergency access",
)
REFUSES_CENTRE_15 = Words(
    "le patient refuse l’accès du 15",
    "le patient ne refuse pas l’accès du 15",
    "the patient refuses access by Centre 15",
    "the patient does not refuse access by Centre 15",
)
PRINCIPAL_IN_TEAM = Words(
    "le professionnel pour qui vous agissez fait partie de l’équipe de soins",
    "le professionnel pour qui vous agissez ne fait pas partie de l’équipe de soins",
    "the professional under whom you act belongs to the care team",
    "the professional under whom you act does not belong to the care team",
)
PRINCIPAL_TREATING = Words(
    "le professionnel pour qui vous agissez est le médecin traitant",
    "le professionnel pour qui vous agissez n’est pas le médecin traitant",
    "the professional under whom you act is the treating physician",
    "the professional under whom you act is not the treating physician",
)
PRINCIPAL_CONSENTED = Words(
    "le patient a donné accès au professionnel pour qui vous agissez",
    "le patient n’a pas donné accès au professionnel pour qui vous agissez",
    "the patient gave access to the professional under whom you act",
    "the patient gave no access to the professional under whom you act",
)
PRINCIPAL_BLOCKED = Words(
    "le patient a bloqué le professionnel pour qui vous agissez",
    "le patient n’a pas bloqué le professionnel pour qui vous agissez",
    "the patient blocked the professional under whom you act",
    "the patient did not block the professional under whom you act",
)
ADMINISTRATIVE = Words(
    "c’est un papier administratif",
    "ce n’est pas un papier administratif",
    "it is administrative",
    "it is not administrative",
)
BILLING = Words(
    "c’est nécessaire pour facturer",
    "ce n’est pas nécessaire pour facturer",
    "billing needs it",
    "billing does not need it",
)
PERSONAL = Words(
    "le patient l’a déposé lui-même",
    "le patient ne l’a pas déposé lui-même",
    "the patient left it personally",
    "the patient did not leave it personally",
)
CHOICE = Words(
    "c’est un choix de la personne sur son dossier",
    "ce n’est pas un choix de la personne sur son dossier",
    "it is a choice of the person about the record",
    "it is no choice of the person about the record",
)
DECISION = Words(
    "c’est une décision que la personne seule prend",
    "ce n’est pas une décision que la personne seule prend",
    "it is a decision that is the person's alone",
    "it is no decision that is the person's alone",
)
DECLARATION = Words(
    "c’est une déclaration d’urgence",
    "ce n’est pas une déclaration d’urgence",
    "it is a declaration of emergency",
    "it is no declaration of emergency",
)

Pair = tuple[str, str]
"""One sentence in French and in English."""

SYSTEM_RULE: Pair = (
    "C’est l’exploitant local de la plateforme, pour la faire fonctionner.",
    "This is the local operator of the platform, to run it.",
)
JOB_RULE: Pair = (
    "C’est un travail automatique de la plateforme, limité à ce dont il a besoin.",
    "This is a named job of the platform, limited to what it needs.",
)
DIRECTORY_RULE: Pair = (
    "Cette information ne concerne aucun patient.",
    "This information is about no patient.",
)
OWN_RECORD_RULE: Pair = ("C’est votre propre dossier.", "This is your own record.")
REVIEW_RULE: Pair = (
    "Vous contrôlez les accès en urgence.",
    "You review emergency accesses.",
)
PARENT_RULE: Pair = (
    "C’est un parent et la personne est mineure.",
    "A parent, and the person is a minor.",
)
GUARDIAN_RULE: Pair = ("C’est le tuteur de la personne.", "The person's guardian.")
HELPER_RULE: Pair = (
    "La personne l’a choisi comme aidant.",
    "The person chose them as a helper.",
)
HELPER_ADMINISTRATIVE_RULE: Pair = (
    "La personne lui a confié ses démarches administratives.",
    "The person entrusted the paperwork to them.",
)
MANAGER_RULE: Pair = (
    "Il gère ce dossier pour la personne.",
    "They manage this record for the person.",
)
TREATING_RULE: Pair = ("C’est le médecin traitant.", "The treating physician.")
CARE_TEAM_RULE: Pair = (
    "Il fait partie de l’équipe de soins et le patient a donné son accord.",
    "They belong to the care team and the patient agreed.",
)
CONSENTED_RULE: Pair = (
    "Le patient lui a donné accès à son dossier.",
    "The patient gave them access to the record.",
)
DELEGATE_RULE: Pair = (
    "Il agit pour un professionnel qui a accès au dossier.",
    "They act under a professional who has access to the record.",
)
EMERGENCY_RULE: Pair = (
    "Il a déclaré une urgence, avec un motif et pour quelques heures.",
    "They declared an emergency, with a reason and for a few hours.",
)
CENTRE_15_RULE: Pair = (
    "Il régule un appel au 15.",
    "They regulate a call to 15.",
)
PAYMENT_RULE: Pair = (
    "C’est pour facturer un soin, et rien d’autre.",
    "It is for billing care, and nothing else.",
)
OWN_CHOICE_RULE: Pair = (
    "C’est votre choix sur votre dossier.",
    "This is your choice about your record.",
)
OWN_DEPOSIT_RULE: Pair = (
    "Vous l’avez déposé dans votre dossier.",
    "You left it in your record.",
)
REPRESENTATIVE_CHOICE_RULE: Pair = (
    "Vous décidez pour cette personne.",
    "You decide for this person.",
)
DECLARATION_RULE: Pair = ("Vous déclarez une urgence.", "You declare an emergency.")
WRITING_RULE: Pair = (
    "Vous soignez chaque patient nommé.",
    "You care for every patient it names.",
)
MINOR_LABEL_RULE: Pair = (
    "C’est votre dossier : vous pouvez masquer, et cacher à vos parents.",
    "This is your record: you may mask, and hide from your parents.",
)
OWN_LABEL_RULE: Pair = (
    "C’est votre dossier : vous pouvez masquer et démasquer.",
    "This is your record: you may mask and unmask.",
)
REPRESENTATIVE_LABEL: Pair = (
    "Vous décidez pour cette personne : vous pouvez masquer et démasquer.",
    "You decide for this person: you may mask and unmask.",
)
AUTHOR_LABEL_RULE: Pair = ("Vous l’avez écrit.", "You wrote it.")
TREATING_LABEL_RULE: Pair = (
    "Vous êtes le médecin traitant.",
    "You are the treating physician.",
)
TEAM_ANNOUNCES_RULE: Pair = (
    "Vous faites partie de l’équipe de soins : vous pouvez annoncer un résultat.",
    "You belong to the care team: you may announce a result.",
)
TEAM_WITHHOLDS_RULE: Pair = (
    "Vous êtes médecin de l’équipe de soins : vous pouvez garder un résultat pour l’annoncer.",
    "You are a physician of the care team: you may keep a result until you announce it.",
)
TEAM_SECRET_RULE: Pair = (
    "Vous faites partie de l’équipe de soins : vous pouvez garder le secret d’un mineur.",
    "You belong to the care team: you may keep the secret of a minor.",
)
